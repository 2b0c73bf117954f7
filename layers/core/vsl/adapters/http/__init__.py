"""Outgoing HTTP to addresses that others chose: checked, pinned, bounded."""
