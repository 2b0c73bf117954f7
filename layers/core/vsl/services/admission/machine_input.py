"""The input of both state machines, read and checked before any store is asked."""

import json
from collections.abc import Mapping
from typing import Any

from vsl.domain.api.caller import Caller, Edge
from vsl.domain.api.query import unknown_parameters
from vsl.domain.api.repetition import Repetition
from vsl.domain.api.request import KEYS, is_user_id
from vsl.domain.api.request_json import check_values, read_request
from vsl.domain.errors import PayloadTooLarge
from vsl.domain.jobs.idempotency import IDEMPOTENCY_KEY, KEY_RULE, is_key

# Only the API's template puts these into the input; an operator who starts a machine is trusted.
_FROM_THE_API = {"requestId", "claims", "authorizer"}
# As JSON. A job travels through Step Functions, whose documents end at 256 KiB: this leaves as much
# again for what the steps add.
MAX_REQUEST_BYTES = 128 * 1024
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def read_input(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The input with the request in the place of its text. Raises InvalidRequest, naming the fault."""
    if "body" not in document:
        check_values(document)
        return document
    text = document["body"]
    request = read_request(text if isinstance(text, str) else "")
    return {name: value for name, value in document.items() if name != "body"} | {
        "request": request
    }


def requested(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a job's document only what was asked for; anything else stays as it is."""
    if "jobId" not in document:
        return document
    return {name: document[name] for name in KEYS if name in document}


def request_body(document: Mapping[str, Any], edge: Edge) -> Any:
    """The request in an input that was read, with its user. Raises PayloadTooLarge and Forbidden."""
    body = document["request"] if "request" in document else requested(document)
    _check_size(body)
    vouched = _vouched(document)
    known = edge.vouches and _FROM_THE_API & document.keys()
    if not known and not vouched["claims"].get("sub") and not vouched.get("keyId"):
        return body
    subject = edge.subject(vouched)
    return body if subject is None else _owned(body, subject)


def _vouched(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the API's authorizer says of the caller, as proxy events have it. The template tells of a token's
    claims in `claims`, of a key in `authorizer`."""
    claims, key = document.get("claims"), document.get("authorizer")
    return {
        **(key if isinstance(key, Mapping) else {}),
        "claims": claims if isinstance(claims, Mapping) else {},
    }


def idempotency_key(document: Mapping[str, Any]) -> str:
    """Empty for none."""
    return str(document.get("idempotencyKey") or "")


def repetition_of(document: Mapping[str, Any]) -> Repetition:
    """`retry` is the header of a client that marks its retries; `keyId` and `dedupeSeconds` are said of the
    caller's key, by a function of ours or in what API Gateway's `authorizer` says."""
    vouched = document.get("authorizer")
    key = vouched if isinstance(vouched, Mapping) else document
    return Repetition.read(document.get("retry"), key.get("keyId"), key.get("dedupeSeconds"))


def faults_beside_the_body(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the headers and the query, as the API's template tells of them.

    `hasIdempotencyKey`: the header was there; without that an empty key is no key. `query` are the names
    of the query's parameters, of which the route knows none.
    """
    key = document.get("idempotencyKey") or ""
    faults = []
    if (key or document.get("hasIdempotencyKey") is True) and not is_key(key):
        faults.append((IDEMPOTENCY_KEY, KEY_RULE))
    return faults + unknown_parameters(str(document.get("query") or "").split(), ())


def _owned(body: object, subject: str) -> object:
    """The body with its user. Raises Forbidden when it names another user than the caller."""
    if not isinstance(body, Mapping):
        return body
    named = body.get("userId")
    caller = Caller(subject, named if is_user_id(named) else None)
    return {**body, "userId": named if named is not None else caller.user_id}


def _check_size(body: object) -> None:
    size = len(_ENCODER.encode(body).encode("utf-8", "surrogatepass"))
    if size > MAX_REQUEST_BYTES:
        raise PayloadTooLarge(
            f"The request has {size:,} bytes; at most {MAX_REQUEST_BYTES:,} are allowed. Large"
            " inputs are passed by their address.",
            limit=MAX_REQUEST_BYTES,
        )
