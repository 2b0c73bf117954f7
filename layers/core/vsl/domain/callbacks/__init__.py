"""Telling a client of its job's end: the address it names, the signed message, when to try again."""
