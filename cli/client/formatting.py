"""Numbers, times and prices for people."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

SHORT = 13  # of a job id: its whole time, to the millisecond
_PRICES = {"gpu_second": "second of GPU", "output_second": "second of output"}


def as_written(value: object) -> str:
    """A value as a command or a request has it: text without quotes, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def plain(text: str) -> str:
    """Without control characters: what others wrote must not steer the terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)


def table(
    *names: str,
    numbers: Collection[int] = (),
    whole: Collection[int] = (),
    pad_edge: bool = False,
) -> "Table":
    """With these columns, without a box; what is in `whole` ones is not broken over lines."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=pad_edge)
    for place, name in enumerate(names):
        made.add_column(
            name, justify="right" if place in numbers else "left", no_wrap=place in whole
        )
    return made


def seconds(value: float) -> str:
    """4.6 s, 2 min 05 s, 1 h 10 min."""
    if value < 60:
        return f"{value:.1f} s" if value >= 0.1 or value == 0 else f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def dollars(value: float | str | None) -> str:
    """Two places at least, six at most."""
    if value is None:
        return "not known"
    whole, _, places = f"{float(value):.6f}".partition(".")
    return f"${whole}.{places.rstrip('0').ljust(2, '0')}"


def size(value: int) -> str:
    amount = float(value)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def ago(text: str, now: datetime) -> str:
    """An ISO time as `12 s ago`, `3 h ago`, or its day."""
    passed = (now - datetime.fromisoformat(text)).total_seconds()
    for limit, length, unit in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if passed < limit:
            return f"{max(0, int(passed // length))} {unit} ago"
    return text[:10]


def queued(status: Mapping[str, Any], now: datetime) -> str | None:
    """Where a job stands that waits for its turn at the provider; None when it does not."""
    if not status.get("queuePosition"):
        return None
    left = (datetime.fromisoformat(status["estimatedStart"]) - now).total_seconds()
    start = f"in about {seconds(round(left))}" if left >= 1 else "in a moment"
    if left >= 1 and status.get("estimatedStartLatest"):
        bounds = (status["estimatedStartEarliest"], status["estimatedStartLatest"])
        low, high = ((datetime.fromisoformat(at) - now).total_seconds() for at in bounds)
        start += f" ({seconds(max(round(low), 0))} to {seconds(round(high))})"
    return f"queued for the provider, position {status['queuePosition']}, starts {start}"


def took(status: Mapping[str, Any]) -> float:
    """Seconds from the request to the end of a job that has ended."""
    ends = datetime.fromisoformat(status["completedAt"])
    return (ends - datetime.fromisoformat(status["createdAt"])).total_seconds()


def cost(status: Mapping[str, Any]) -> str:
    """What a job cost; before its end the estimate."""
    if status["actualCost"] is not None:
        return dollars(status["actualCost"])
    if status["completedAt"] or status["estimatedCost"] is None:
        return "not known"
    return f"~{dollars(status['estimatedCost'])}"


def price(document: Mapping[str, Any] | None) -> str:
    """$0.003 an image; $0.018 to $0.072 a second of output, by resolution."""
    if document is None:
        return "no price known"
    unit = document["unit"]
    unit = _PRICES.get(unit, unit)
    article = "an" if unit[0] in "aeiou" else "a"
    if "amounts" not in document:
        return f"{dollars(document['amount'])} {article} {unit}"
    amounts = sorted(map(float, document["amounts"].values()))
    span = f"{dollars(amounts[0])} to {dollars(amounts[-1])}"
    return f"{span} {article} {unit}, by {document['by']}"


def describe(asset: Mapping[str, Any]) -> str:
    """1344 x 768, 2.1 s, 12 fps, h264: what is known of a file."""
    parts = []
    if asset.get("width"):
        parts.append(f"{asset['width']} x {asset['height']}")
    if asset.get("duration"):
        parts.append(seconds(asset["duration"]))
    if asset.get("fps"):
        parts.append(f"{asset['fps']:g} fps")
    return ", ".join([*parts, str(asset.get("codec") or asset["contentType"])])


def media(asset: Mapping[str, Any]) -> str:
    """The same and the file's size."""
    return f"{describe(asset)}, {size(asset['fileSize'])}"


STATUS_STYLES = {
    "pending": "dim",
    "processing": "cyan",
    "storing": "cyan",
    "succeeded": "green",
    "failed": "red",
    "canceled": "yellow",
}
