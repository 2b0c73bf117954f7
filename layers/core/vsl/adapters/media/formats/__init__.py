"""Formats read byte by byte, where a library would decode too much or trust too much."""
