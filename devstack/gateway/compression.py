"""Compressed answers, for an API whose document names a minimum size.

Conditions: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-receive-response-with-compressed-payload.html
"""

import gzip
import zlib
from collections.abc import Callable, Mapping

from devstack.gateway.responses import Answer

_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
}


def compressed(answer: Answer, accept_encoding: str, minimum: int | None) -> Answer:
    """`answer` in the coding that the client likes best; as it is if that is none of API Gateway's."""
    coding = _preferred(accept_encoding)
    if minimum is None or len(answer.body) < minimum or coding not in _CODINGS:
        return answer
    if any(name.lower() == "content-encoding" for name, _ in answer.headers):
        return answer
    headers = (*answer.headers, ("Content-Encoding", coding))
    return Answer(answer.status, _CODINGS[coding](answer.body), headers)


def _preferred(accept_encoding: str) -> str:
    """The first of the codings with the highest quality; empty when none is accepted."""
    best, highest = "", 0.0
    for entry in accept_encoding.split(","):
        name, _, parameter = entry.partition(";")
        quality = _quality(parameter)
        if quality > highest:
            best, highest = name.strip().lower(), quality
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
