"""Bringing a stage forward: its database, then its stack."""
