"""The options of `vsl models add`, read."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.client.errors import CommandError, Exit
from cli.models.hardware import hardware_table
from cli.models.translation.kinds import INPUT_KINDS
from cli.models.translation.prices import find_hardware

ANY = "any"


@contextmanager
def option_faults() -> Iterator[None]:
    """A ValueError about an option as a CommandError."""
    try:
        yield
    except ValueError as error:
        raise CommandError("InvalidOption", f"{error}.", Exit.REFUSED) from None


def hardware_key(wanted: str) -> str:
    """Raises CommandError."""
    try:
        return find_hardware(wanted, {key: each.title for key, each in hardware_table().items()})
    except ValueError as error:
        raise CommandError("UnknownHardware", f"{error}.", Exit.REFUSED) from None


def input_kind(text: str) -> tuple[str, str]:
    """Raises ValueError."""
    name, _, kind = text.partition("=")
    if not name or kind not in {*INPUT_KINDS, ANY}:
        raise ValueError(f"--input-media {text}: wants INPUT={'|'.join((*INPUT_KINDS, ANY))}")
    return name, kind


def number_range(text: str) -> tuple[str, tuple[float | None, float | None]]:
    """Raises ValueError."""
    name, _, bounds = text.partition("=")
    low, dots, high = bounds.partition("..")
    try:
        found = tuple(float(each) if each else None for each in (low, high))
    except ValueError:
        found = (None, None)
    if not name or not dots or found == (None, None):
        raise ValueError(f"--range {text}: wants NAME=MIN..MAX, of which one may be left out")
    return name, (found[0], found[1])
