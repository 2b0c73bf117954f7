"""What a list of jobs is asked for, and where its next page begins."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.job import JobStatus, MediaType
from vsl.domain.jobs.metadata import fault_of
from vsl.domain.jobs.status import StatusDocument
from vsl.domain.suggestions import named

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100
_LONGEST_NAME = 100
_LONGEST_SEARCH = 200
# The years every store can hold.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 12, 31, tzinfo=UTC)


class OtherListError(ValueError):
    """A cursor came with other filters than it was made for: it would begin in the middle of nothing."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list, newest first: right behind this job."""

    created_at: datetime
    job_id: str

    def cursor(self, wanted: "JobFilter") -> str:
        """Opaque to clients; safe in a query. It carries what the list was asked for."""
        text = f"{self.created_at.isoformat()} {self.job_id} {wanted.fingerprint}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, cursor: str, wanted: "JobFilter") -> Self:
        """Raises ValueError for anything that `cursor` did not make, OtherListError for another list's."""
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        except (binascii.Error, UnicodeError) as error:
            raise ValueError("not base64") from error
        at, _, rest = text.partition(" ")
        job_id, _, fingerprint = rest.partition(" ")
        if not is_job_id(job_id):
            raise ValueError("no job id")
        position = cls(_moment(at), job_id)
        if fingerprint != wanted.fingerprint:
            raise OtherListError
        return position


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job as the accounting knows it, with its place in the list."""

    position: Position
    document: StatusDocument


@dataclass(frozen=True, slots=True)
class JobFilter:
    """None means any; `created_after` counts itself, `created_before` does not. `metadata` are pairs that a
    job must have, all of them; `words` are searched for in the prompt."""

    user_id: str | None = None
    status: JobStatus | None = None
    media_type: MediaType | None = None
    model_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    words: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same filters, in whatever process."""
        text = json.dumps(asdict(self), default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ListRequest:
    """`after` is where the page begins, None for the first one."""

    wanted: JobFilter
    after: Position | None = None
    limit: int = DEFAULT_LIMIT

    @classmethod
    def parse(cls, query: Mapping[str, str], user_id: str | None) -> Self:
        """Out of the query parameters. Raises InvalidRequest that names every fault."""
        reader = _Reader(query)
        wanted = JobFilter(
            user_id=user_id,
            status=reader.choice("status", JobStatus),
            media_type=reader.choice("mediaType", MediaType),
            model_id=reader.name("modelId"),
            created_after=reader.moment("createdAfter"),
            created_before=reader.moment("createdBefore"),
            metadata=reader.metadata(),
            words=reader.words("q"),
        )
        request = cls(wanted, reader.position("cursor", wanted), reader.limit("limit"))
        if reader.faults:
            raise InvalidRequest.of(reader.faults)
        return request


class _Reader:
    """Reads one parameter after the other and remembers what is wrong."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self.faults: list[tuple[str, str]] = []

    def choice[Choice: StrEnum](self, name: str, choices: type[Choice]) -> Choice | None:
        text = self._query.get(name)
        if text is None or text in choices:
            return None if text is None else choices(text)
        self._wrong(name, f"must be one of {', '.join(choices)}")
        return None

    def name(self, name: str) -> str | None:
        text = self._query.get(name)
        if text is not None and not (1 <= len(text) <= _LONGEST_NAME and text.isprintable()):
            self._wrong(name, f"must be text of 1 to {_LONGEST_NAME} printable characters")
            return None
        return text

    def words(self, name: str) -> str | None:
        text = self._query.get(name)
        if text is None:
            return None
        if len(text) > _LONGEST_SEARCH or not any(map(str.isalnum, text)) or "\0" in text:
            self._wrong(name, f"must be words, at most {_LONGEST_SEARCH} characters")
        return text

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Of `metadata[order]=17`, in the style deepObject."""
        pairs = {
            name.removeprefix("metadata[").removesuffix("]"): value
            for name, value in self._query.items()
            if name.startswith("metadata[") and name.endswith("]")
        }
        for key, value in pairs.items():
            fault = fault_of(key, value)
            if fault is not None:
                self._wrong(f"metadata.{named(key)}", fault)
        return tuple(sorted(pairs.items()))

    def moment(self, name: str) -> datetime | None:
        text = self._query.get(name)
        try:
            return None if text is None else _bound(text)
        except ValueError:
            self._wrong(name, "must be a time like 2026-03-01T12:00:00Z")
            return None

    def position(self, name: str, wanted: JobFilter) -> Position | None:
        text = self._query.get(name)
        try:
            return None if text is None else Position.parse(text, wanted)
        except OtherListError:
            self._wrong(name, "belongs to a list with other filters; repeat those it came with")
            return None
        except ValueError:
            self._wrong(name, "must be the nextCursor of an earlier answer")
            return None

    def limit(self, name: str) -> int:
        text = self._query.get(name, str(DEFAULT_LIMIT))
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
        if not 1 <= number <= LARGEST_LIMIT:
            self._wrong(name, f"must be a whole number from 1 to {LARGEST_LIMIT}")
        return number

    def _wrong(self, name: str, message: str) -> None:
        self.faults.append((name, message))


def _bound(text: str) -> datetime:
    """As `_moment`; before the first and after the last possible job it says the same as there."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is not None and at.year < _EARLIEST.year:
        return _EARLIEST
    return _LATEST if at.tzinfo is not None and at.year > _LATEST.year else _moment(text)


def _moment(text: str) -> datetime:
    """ISO 8601 with its offset, in years the stores can hold. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or not _EARLIEST.year <= at.year <= _LATEST.year:
        raise ValueError("no offset, or out of range")
    return at
