"""Who sent a request, as API Gateway vouches for it."""

from collections.abc import Mapping
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.runtime.handler import Event, authorizer, edge


def caller(event: Event, body: Mapping[str, Any] | None = None) -> Caller:
    """The caller of a proxy event, which names a user in its body where it has one, else in the query.

    Raises Forbidden for a token that is not for this API, or for another user than the request names.
    """
    source = body if body is not None else event.get("queryStringParameters") or {}
    return Caller(edge().subject(authorizer(event)), source.get("userId"))
