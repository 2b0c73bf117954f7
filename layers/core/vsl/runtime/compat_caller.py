"""Who sent a request to a route of another API's protocol, whose bodies cannot name a user of ours."""

from vsl.domain.api.repetition import RETRY_HEADER, Repetition
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.idempotency import IDEMPOTENCY_KEY, KEY_RULE, is_key
from vsl.runtime.caller import caller
from vsl.runtime.handler import Event, header
from vsl.runtime.settings import settings

USER_HEADER = "VSL-User"
"""Stock clients take default headers: a trusted back end names its user by this one."""

LOCAL_USER = "me"
"""Whom the command line names as well (cli.client.target; a test compares)."""


def idempotency_key(event: Event) -> str:
    """Empty for none. Raises InvalidRequest for a header that is no key."""
    key = header(event, IDEMPOTENCY_KEY)
    if key is not None and not is_key(key):
        raise InvalidRequest.of([(IDEMPOTENCY_KEY, KEY_RULE)])
    return key or ""


def gateway(event: Event) -> dict[str, str]:
    """The `id` and `host` by which API Gateway was called, as its own template passes them on."""
    about = event.get("requestContext") or {}
    return {"id": str(about.get("apiId") or ""), "host": str(about.get("domainName") or "")}


def repetition(event: Event) -> Repetition:
    """What the request and the caller's key say of repetitions."""
    key = (event.get("requestContext") or {}).get("authorizer") or {}
    retry = header(event, RETRY_HEADER)
    return Repetition.read(retry, key.get("keyId"), key.get("dedupeSeconds"))


def compat_user(event: Event) -> str:
    """The user that the request is about: the caller's own, else the header's, else, where the API is
    open, which it is on the local stack alone, the command line's default user.

    Raises InvalidRequest when nothing names one, Forbidden when the header names another user than the
    caller is.
    """
    named = header(event, USER_HEADER)
    found = caller(event, {"userId": named})
    if found.user_id is not None:
        return found.user_id
    if settings().api_auth == "NONE":
        return LOCAL_USER
    raise InvalidRequest.of([(USER_HEADER, "is required: the header names the user to act for")])
