"""Protocols of other APIs, which clients of theirs speak to this one."""
