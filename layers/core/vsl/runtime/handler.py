"""Handler decorators: what every Lambda of ours does around its one use-case call."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict, cast

from vsl.domain.api.query import check_query
from vsl.domain.errors import InternalError, VslError
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.webhook_url import WEBHOOK_PATH
from vsl.runtime.observability import job_keys, logger
from vsl.runtime.settings import settings

if TYPE_CHECKING:
    from vsl.domain.api.caller import Edge

Event = dict[str, Any]


class Response(TypedDict):
    """An HTTP answer for API Gateway: the body is text already, JSON but for files."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: NotRequired[bool]


# Made once: `json.dumps` with arguments makes an encoder for each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# What a script on another origin may read besides the content type.
_EXPOSED = {
    "Access-Control-Expose-Headers": "ETag,Idempotency-Replayed,Location,Preference-Applied,RateLimit,"
    "RateLimit-Policy,Retry-After"
}

# A client for whose wait there was no place asks again after so many seconds.
ASK_AGAIN = {"Retry-After": "2"}


class Context(Protocol):
    """The part of Lambda's context object we use."""

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


def step[Given: Mapping[str, Any], Made](
    function: Callable[[Given, Context], Made],
) -> Callable[[Given, Context], Made]:
    """A step of a state machine: errors leave as exceptions, whose class name the machine matches."""

    @wraps(function)
    def wrapper(event: Given, context: Context) -> Made:
        with job_keys(event, request_id=context.aws_request_id):
            try:
                result = function(event, context)
            except VslError as error:
                logger.warning(
                    "step ended in an error", error_code=error.code, reason=error.message
                )
                raise
            except Exception:
                logger.exception("step failed unexpectedly")
                raise
            logger.info("step done", **_learned(result))
            return result

    return wrapper


type Handler = Callable[[Event, Context], Response]


def api(function: Handler) -> Handler:
    """A route behind API Gateway's proxy integration: errors leave as problem+json."""
    return refusing_as(function, problem)


def refusing_as(function: Handler, refusal: "Callable[[VslError], Response]") -> Handler:
    """A route behind API Gateway's proxy integration, whose errors leave as `refusal` has them."""

    @wraps(function)
    def wrapper(event: Event, context: Context) -> Response:
        with job_keys(_asked_about(event), request_id=context.aws_request_id):
            try:
                _check_caller(event)
                _check_query(event)
                response = function(event, context)
            except VslError as error:
                logger.warning("request refused", error_code=error.code, reason=error.message)
                response = refusal(error)
            except Exception:  # noqa: BLE001 - the client gets a refusal, the log the traceback
                logger.exception("request failed unexpectedly")
                response = refusal(InternalError("The request failed; try again or report it."))
            if event.get("httpMethod") != "GET":  # who only reads is in the API's own log
                logger.info("request answered", status=response["statusCode"])
        response["headers"] |= _cross_origin(event)
        return response

    return wrapper


def authorizer(event: Event) -> Mapping[str, Any]:
    """What API Gateway vouches for of the caller; nothing on a route that is open to all."""
    return (event.get("requestContext") or {}).get("authorizer") or {}


def edge() -> "Edge":
    from vsl.domain.api.caller import Edge

    return Edge(settings().api_auth, settings().cognito_client_ids)


def _check_caller(event: Event) -> None:
    """Raises Forbidden for a token that is not for this API, also on a route that asks for no user."""
    given = authorizer(event)
    if given:
        edge().subject(given)


def _check_query(event: Event) -> None:
    """Raises InvalidRequest for a parameter that the route does not know, or that comes twice."""
    once = {name: [value] for name, value in (event.get("queryStringParameters") or {}).items()}
    query = event.get("multiValueQueryStringParameters") or once
    check_query(f"{event.get('httpMethod')} {event.get('resource')}", query)


def _learned(result: object) -> dict[str, Any]:
    """The attempt, by the steps that find it out."""
    known = isinstance(result, Mapping) and result.get("attempt")
    return {"attempt": known} if known else {}


def _asked_about(event: Event) -> dict[str, str]:
    """The job in the path, or the one that a webhook's address names; it may be made up."""
    place = "queryStringParameters" if event.get("resource") == WEBHOOK_PATH else "pathParameters"
    named = event.get(place) or {}
    if not is_job_id(named.get("jobId")):
        return {}
    attempt = str(named.get("attempt", ""))
    return {"jobId": named["jobId"]} | ({"attempt": attempt} if attempt.isdecimal() else {})


def header(event: Event, name: str) -> str | None:
    """A header of the request, however its name was spelled."""
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def _cross_origin(event: Event) -> dict[str, str]:
    """What lets a browser on another origin read the answer: API Gateway adds nothing to a proxy's."""
    origin = header(event, "Origin")
    if origin is None:
        return {}
    allowed = settings().cors_origins
    if "*" in allowed:
        return {"Access-Control-Allow-Origin": "*", **_EXPOSED}
    allow = {"Access-Control-Allow-Origin": origin, **_EXPOSED} if origin in allowed else {}
    return {"Vary": "Origin", **allow}


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer in the shape API Gateway expects: the body is text already."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": _encode(body),
    }


def text_answer(content_type: str, text: str, headers: Mapping[str, str]) -> Response:
    return {"statusCode": 200, "headers": {"Content-Type": content_type, **headers}, "body": text}


def without_body(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """204, or 304 with the headers that the full answer would carry."""
    return {"statusCode": status, "headers": dict(headers or {}), "body": ""}


def problem(error: VslError) -> Response:
    """`application/problem+json` (RFC 9457) with our stable `code`; faults of ours stay vague."""
    body: dict[str, object] = {
        "type": error.type,
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.message if error.status != InternalError.status else error.title,
    }
    details = dict(error.details)
    headers = {"Content-Type": "application/problem+json"}
    headers |= cast("Mapping[str, str]", details.pop("headers", {}))
    if error.status < InternalError.status:
        body |= details
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return {
        "statusCode": error.status,
        "headers": headers,
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str),
    }
