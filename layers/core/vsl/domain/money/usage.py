"""What was used: jobs and money by day, user, model and media type."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

from vsl.domain.errors import InvalidRequest
from vsl.domain.money.amounts import dollars

FORMATS = ("json", "csv")
COUNTS = ("jobs", "succeeded", "spent", "held", "stage")
DIMENSIONS = ("day", "userId", "modelId", "mediaType")
DEFAULT_DAYS = 30
MOST_DAYS = 400
DAYS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """The jobs of the days (UTC) from `first` to `last`, both counted; `user_id` None: of all users.

    `by` are the DIMENSIONS that the answer tells apart, in their order.
    """

    first: date
    last: date
    by: tuple[str, ...]
    user_id: str | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str], user_id: str | None, now: datetime) -> "UsageRequest":
        """Of `from`, `to` (days such as 2026-11-29) and `by` (such as `day,modelId`).

        The default is the last thirty days, by day and model. Raises InvalidRequest.
        """
        today = now.astimezone(UTC).date()
        last = _day(query, "to", today)
        first = _day(query, "from", last - (DEFAULT_DAYS - 1) * DAYS)
        if not first <= last < first + MOST_DAYS * DAYS:
            raise _invalid("from", f"must be before `to`, by less than {MOST_DAYS} days")
        by = query.get("by", "day,modelId")
        given = by.split(",") if by else []
        if unknown := set(given) - set(DIMENSIONS):
            raise _invalid("by", f"knows {', '.join(DIMENSIONS)}, not {', '.join(sorted(unknown))}")
        return cls(first, last, tuple(name for name in DIMENSIONS if name in given), user_id)


@dataclass(frozen=True, slots=True)
class UsageLine:
    """Jobs that share the values of `key`, by DIMENSIONS. `spent` by users; `stage` is what the
    deployment paid beyond that; `held` is not spent yet. Micro-dollars."""

    key: Mapping[str, str]
    jobs: int
    succeeded: int
    spent: int
    held: int
    stage: int

    def document(self) -> dict[str, Any]:
        return {
            **self.key,
            "jobs": self.jobs,
            "succeeded": self.succeeded,
            "spent": str(dollars(self.spent)),
            "held": str(dollars(self.held)),
            "stage": str(dollars(self.stage)),
        }


@dataclass(frozen=True, slots=True)
class UsageReport:
    asked: UsageRequest
    lines: Sequence[UsageLine]

    def document(self) -> dict[str, Any]:
        return {
            "from": self.asked.first.isoformat(),
            "to": self.asked.last.isoformat(),
            "by": list(self.asked.by),
            "userId": self.asked.user_id,
            "lines": [line.document() for line in self.lines],
            "total": self._total().document(),
        }

    def csv(self) -> str:
        """A header and the lines, without the total: RFC 4180."""
        text = StringIO(newline="")
        writer = csv.DictWriter(text, [*self.asked.by, *COUNTS])
        writer.writeheader()
        writer.writerows(line.document() for line in self.lines)
        return text.getvalue()

    def _total(self) -> UsageLine:
        return UsageLine({}, *(sum(getattr(it, name) for it in self.lines) for name in COUNTS))


def parse_format(query: Mapping[str, str]) -> str:
    """`json` or `csv`. Raises InvalidRequest."""
    name = query.get("format", FORMATS[0])
    if name not in FORMATS:
        raise _invalid("format", f"must be one of {', '.join(FORMATS)}")
    return name


def _day(query: Mapping[str, str], name: str, default: date) -> date:
    text = query.get(name)
    if text is None:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _invalid(name, "must be a day such as 2026-11-29") from None
    if not 1970 <= day.year <= 9000:
        raise _invalid(name, "must be a day such as 2026-11-29")
    return day


def _invalid(field: str, message: str) -> InvalidRequest:
    return InvalidRequest.of([(field, message)])
