"""The query of GET /status/{jobId}."""

from collections.abc import Mapping
from dataclasses import dataclass

from vsl.domain.api.caller import Caller
from vsl.domain.api.prefer import LONGEST_WAIT
from vsl.domain.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """`wait` is in seconds, 0 for none; `known` is the `If-None-Match` header."""

    job_id: str
    caller: Caller
    wait: int = 0
    with_parameters: bool = False
    known: str | None = None

    @classmethod
    def parse(
        cls, job_id: str, caller: Caller, query: Mapping[str, str], known: str | None = None
    ) -> "StatusRequest":
        """Raises InvalidRequest."""
        return cls(job_id, caller, _wait(query.get("wait")), _with(query.get("include")), known)


def _wait(text: str | None) -> int:
    if text is None:
        return 0
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else -1
    if not 0 <= number <= LONGEST_WAIT:
        raise _invalid("wait", f"must be a whole number of seconds from 0 to {LONGEST_WAIT}")
    return number


def _with(text: str | None) -> bool:
    if text not in {None, "parameters"}:
        raise _invalid("include", "must be parameters")
    return text is not None


def _invalid(name: str, message: str) -> InvalidRequest:
    return InvalidRequest.of([(name, message)])
