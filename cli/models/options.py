"""The options of `vsl models add`, read."""

from collections.abc import Sequence

from cli.client.errors import CommandError, Exit
from cli.models.hardware import hardware_table
from cli.models.translation.entry import Options
from cli.models.translation.kinds import INPUT_KINDS
from cli.models.translation.prices import PriceOptions, find_hardware

ANY = "any"


def options(
    *,
    media: str | None,
    price: str | None,
    unit: str | None,
    count: str | None,
    hardware: str | None,
    seconds: float | None,
    input_media: Sequence[str],
    ranges: Sequence[str],
) -> Options:
    """Raises CommandError."""
    try:
        return Options(
            media=media,
            price=PriceOptions(price, unit, count, hardware and _hardware(hardware)),
            seconds=seconds,
            input_media=dict(map(_kind, input_media)),
            ranges=dict(map(_range, ranges)),
        )
    except ValueError as error:
        raise CommandError("InvalidOption", f"{error}.", Exit.REFUSED) from None


def _hardware(wanted: str) -> str:
    try:
        return find_hardware(wanted, {key: each.title for key, each in hardware_table().items()})
    except ValueError as error:
        raise CommandError("UnknownHardware", f"{error}.", Exit.REFUSED) from None


def _kind(text: str) -> tuple[str, str]:
    name, _, kind = text.partition("=")
    if not name or kind not in {*INPUT_KINDS, ANY}:
        raise ValueError(f"--input-media {text}: wants INPUT={'|'.join((*INPUT_KINDS, ANY))}")
    return name, kind


def _range(text: str) -> tuple[str, tuple[float | None, float | None]]:
    name, _, bounds = text.partition("=")
    low, dots, high = bounds.partition("..")
    try:
        found = tuple(float(each) if each else None for each in (low, high))
    except ValueError:
        found = (None, None)
    if not name or not dots or found == (None, None):
        raise ValueError(f"--range {text}: wants NAME=MIN..MAX, of which one may be left out")
    return name, (found[0], found[1])
