"""Who sent a request, as API Gateway vouches for it."""

from vsl.domain.caller import Caller
from vsl.domain.errors import Forbidden
from vsl.runtime.handler import Event
from vsl.runtime.settings import settings


def caller(event: Event, named: str | None = None) -> Caller:
    """The caller of a proxy event; `named` is the userId of a body, else the query's counts.

    Raises Forbidden when the pool's token names nobody, or another user than the request does.
    """
    query = event.get("queryStringParameters") or {}
    named = named if named is not None else query.get("userId")
    if settings().api_auth != "COGNITO":
        return Caller(named=named)
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    subject = (authorizer.get("claims") or {}).get("sub")
    if not subject:
        raise Forbidden("The token names no user.")
    return Caller(subject=str(subject), named=named)
