"""Randomness that is the same for the same text, on every machine."""

from random import Random


def chance(*parts: object) -> Random:
    """A source of random numbers seeded with the parts."""
    return Random("\0".join(map(str, parts)))  # noqa: S311  # nosec B311 # pictures and tunes, no secrets
