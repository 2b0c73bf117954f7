"""What an agent gave a tool, checked once: names, kinds and bounds."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from vsl.domain.api.prefer import LONGEST_WAIT
from vsl.domain.compat.agent_tools import Tool
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.idempotency import KEY_RULE, is_key
from vsl.domain.suggestions import did_you_mean, listed, named

_MOST_DOLLARS = 1_000_000


class Arguments:
    """Of one call. Each getter raises InvalidRequest."""

    def __init__(self, tool: Tool, given: Mapping[str, Any]) -> None:
        """Raises InvalidRequest for a name that the tool does not know, and for one that is missing."""
        known = tool.input_schema["properties"]
        faults = [
            (
                named(name),
                f"is not known here. {did_you_mean(name, known)}Known are: {listed(known)}",
            )
            for name in given
            if name not in known
        ]
        faults += [
            (name, "is required") for name in tool.input_schema["required"] if name not in given
        ]
        if faults:
            raise InvalidRequest.of(faults[:20])
        self._given = given

    def text(self, name: str) -> str:
        value = self._given[name]
        if not isinstance(value, str) or not value:
            raise InvalidRequest.of([(name, "must be text that is not empty")])
        return value

    def job_body(self) -> dict[str, Any]:
        """What a job is asked with beside its model: of each the API checks the rest."""
        return {
            name: self._given[name]
            for name in ("parameters", "prompt", "metadata")
            if name in self._given
        }

    def key(self) -> str:
        key = self._given.get("idempotencyKey", "")
        if "idempotencyKey" in self._given and not is_key(key):
            raise InvalidRequest.of([("idempotencyKey", KEY_RULE)])
        return str(key)

    def wait_seconds(self) -> int:
        value = self._given.get("waitSeconds", 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_WAIT:
            message = f"must be a whole number of seconds from 0 to {LONGEST_WAIT}"
            raise InvalidRequest.of([("waitSeconds", message)])
        return value

    def maximum_cost(self) -> Decimal:
        value = self._given["maximumCost"]
        try:
            amount = Decimal(str(value)) if isinstance(value, str | int | float) else None
        except InvalidOperation:
            amount = None
        if (
            isinstance(value, bool)
            or amount is None
            or not amount.is_finite()
            or not 0 <= amount <= _MOST_DOLLARS
        ):
            message = 'must be US dollars, such as "0.05"'
            raise InvalidRequest.of([("maximumCost", message)])
        return amount
