"""DynamoDB's items and Step Functions' tokens, called as boto3's clients are, but without boto3.

Everything that is called so may happen twice: the writes are conditional, a token's first answer
counts. So a call is repeated when its answer is lost, as boto3 would.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from vsl.adapters.signed import error_code, exchange_json
from vsl.domain.errors import ConfigurationError


class _Service(NamedTuple):
    name: str
    host: str
    target: str
    version: str


_SERVICES = {
    "dynamodb": _Service("DynamoDB", "dynamodb", "DynamoDB_20120810", "1.0"),
    "stepfunctions": _Service("Step Functions", "states", "AWSStepFunctions", "1.0"),
}
_NOT_OURS = frozenset({"AccessDenied", "AccessDeniedException", "ResourceNotFoundException"})


class Refused(Exception):
    """AWS will not do it: a condition that does not hold, a token that is spent, a mistake of ours.

    `answer` is what AWS sent, where asked for with the item that stood in the way.
    """

    def __init__(self, code: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {answer.get('message') or answer.get('Message') or ''}")
        self.code = code
        self.answer = answer


class JsonClient:
    """One service; every operation of it is a method, named and called as boto3 has it."""

    def __init__(self, service: str) -> None:
        self._service = _SERVICES[service]

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        name = "".join(word.capitalize() for word in operation.split("_"))
        call = partial(self._call, f"{self._service.target}.{name}")
        setattr(self, operation, call)
        return call

    def _call(self, target: str, /, **arguments: Any) -> dict[str, Any]:
        """Raises Refused, StoreUnavailable, or ConfigurationError without a right or a table."""
        service = self._service
        status, answer = exchange_json(service.host, target, arguments, service.version)
        if status != 200:
            raise refusal(service.name, error_code(answer) or str(status), answer)
        return answer


@cache
def client(service: str) -> JsonClient:
    """`dynamodb` or `stepfunctions`."""
    return JsonClient(service)


def refusal(service: str, code: str, answer: Mapping[str, Any]) -> Exception:
    if code in _NOT_OURS:
        message = answer.get("message") or answer.get("Message") or code
        return ConfigurationError(f"{service} refused: {message}", service=service)
    return Refused(code, answer)
