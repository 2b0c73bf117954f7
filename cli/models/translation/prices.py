"""Price, time and time limit of an entry, from what the operator says and how long the example took."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from vsl.domain.catalogue.models import PriceUnit
from vsl.domain.jobs.job import MAX_TIMEOUT_SECONDS

# Seconds, where no example tells.
_USUAL = {"image": 10.0, "video": 120.0, "audio": 30.0, "text": 10.0, "file": 60.0}
_LEAST_TIMEOUT = 300
# What a model that nobody has used for a while needs to start, at the ninety-ninth percentile.
_BOOT_SECONDS = 600
_SLOWEST = 5  # times the example's run
_COUNTS = (
    "num_outputs", "num_images", "number_of_images", "num_samples", "n_images", "n", "count",
    "batch_size",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PriceOptions:
    """As on the command line. Raises ValueError, naming the option, for what makes no price."""

    amount: str | None = None
    unit: str | None = None
    count: str | None = None
    hardware: str | None = None

    def __post_init__(self) -> None:
        if self.amount is not None and self.hardware is not None:
            raise ValueError("--price and --hardware: give one of them")
        if self.amount is None and (self.unit or self.count):
            raise ValueError(f"{'--unit' if self.unit else '--count'} needs --price")
        if self.amount is not None and self.unit is None:
            raise ValueError(f"--price needs --unit: {', '.join(get_args(PriceUnit))}")
        if self.amount is not None:
            _check(self.amount)
        if self.count is not None and self.unit not in {"image", "output_second"}:
            raise ValueError(f"--count does not apply to a price per {self.unit}")
        if self.unit == "output_second" and self.count is None:
            raise ValueError(
                "--unit output_second needs --count: the parameter that holds the seconds of output"
            )

    def price(self, seconds: float) -> dict[str, Any] | None:
        """The entry's price; None is unpriced. `seconds` is how long a run is expected to take."""
        if self.hardware is not None:
            return {"unit": "gpu_second", "hardware": self.hardware, "predictTime": plain(seconds)}
        if self.amount is None:
            return None
        price: dict[str, Any] = {"unit": self.unit, "amount": self.amount}
        if self.count is not None:
            price["count"] = self.count
        if self.unit == "gpu_second":
            price["predictTime"] = plain(seconds)
        return price


def counted_by(parameters: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The parameter that asks for several images, by its usual names: without it too little is held."""
    for name in _COUNTS:
        known = parameters.get(name, {})
        bounded = "enum" in known or ("minimum" in known and "maximum" in known)
        if known.get("type") == "integer" and bounded and "default" in known:
            return name
    return None


def expected_seconds(run_seconds: float | None, media: str) -> tuple[float, bool]:
    """Of a run, to two digits, and whether it is only what such models usually take."""
    if run_seconds is None:
        return _USUAL[media], True
    rounded = float(f"{run_seconds:.2g}")
    return max(rounded, 0.1), False


def time_limit(seconds: float, *, official: bool) -> int:
    """Whole minutes. Official models are always running; others may have to start first."""
    boot = 0 if official else _BOOT_SECONDS
    minutes = math.ceil((seconds * _SLOWEST + boot) / 60)
    return min(max(minutes * 60, _LEAST_TIMEOUT), MAX_TIMEOUT_SECONDS)


def plain(seconds: float) -> int | float:
    """8.0 is written 8."""
    return int(seconds) if seconds == int(seconds) else seconds


def find_hardware(wanted: str, titles: Mapping[str, str]) -> str:
    """The key of the table, by itself or by parts of it and its title: `a100-80` is gpu-a100-large.

    Of several the one with the fewest words is meant. Raises ValueError.
    """
    if wanted in titles:
        return wanted
    parts = _words(wanted)
    matches = {
        key: len(_words(f"{key} {title}"))
        for key, title in titles.items()
        if parts and all(_has(part, _words(f"{key} {title}")) for part in parts)
    }
    fewest = [key for key, size in matches.items() if size == min(matches.values())]
    if len(fewest) == 1:
        return fewest[0]
    known = ", ".join(fewest or titles)
    what = "could be several" if fewest else "is not in config/hardware.json"
    raise ValueError(f"--hardware {wanted} {what}: {known}")


def _has(part: str, words: list[str]) -> bool:
    return any(word == part or (part.isdigit() and word.startswith(part)) for word in words)


def _words(text: str) -> list[str]:
    letters = "".join(each if each.isalnum() else " " for each in text.lower())
    return letters.split()


def _check(amount: str) -> None:
    try:
        value = Decimal(amount)
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and 0 <= value <= 1000):
        raise ValueError(f"--price {amount}: an amount in US dollars, such as 0.003")
