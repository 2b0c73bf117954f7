"""What schemathesis is told besides the API document (tests/e2e/test_api_document.py, `make fuzz`).

It calls `before_call` with every request. What is to be valid gets what the document cannot say:
parameters of a model, a cursor that a page gave, a signature of the provider's. And nothing that
is sent, valid or not, makes the stack call anywhere but the loopback, or wait for long.
"""

import json
import os
import time
import uuid
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import schemathesis

from vsl.domain.api.job_list import JobFilter, ListRequest, Position
from vsl.domain.api.request import is_user_id
from vsl.domain.callbacks.callback_url import check_callback_url
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.money.budgets import STAGE
from vsl.domain.predictions.signature import sign

USER = "fuzzer"
OTHER_USER = (
    "fuzzed-budgets"  # what is done to the money of one must not stop the jobs of the other
)
MODEL = "flux-schnell"
METADATA = {"order": "17"}
SECRET_VARIABLE = "WEBHOOK_SECRET"  # pragma: allowlist secret
CALLER_VARIABLE = "FUZZ_CALLER"
"""Whose the credential is, where it is one user's."""
_NOBODY_LISTENS = "http://127.0.0.1:9/"
_LONGEST_WAIT = 1
# A GIF of one pixel in ASCII: what a schema calls binary is text to it.
_PICTURE = (
    "GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_START = datetime(2026, 3, 1, tzinfo=UTC)


@schemathesis.hook
def before_call(_context: object, case: Any, _options: object) -> None:
    _complete(case)
    _confine(case)
    _confine_money(case)
    if case.path == "/webhook/replicate":
        _sign(case)


def _complete(case: Any) -> None:
    operation = case.operation.definition.raw["operationId"]
    body = case.body if isinstance(case.body, dict) and _valid(case, "body") else {}
    if operation in {"generateMedia", "createJob"}:
        _complete_job(body)
    elif operation == "estimateJob":
        if _valid(case, "path"):
            case.path_parameters["modelId"] = MODEL
        body.update(parameters={"prompt": "a fence"})
        if "prompt" in body:
            body["prompt"] = "a fence"
    elif operation == "createUpload" and isinstance(body.get("size"), int):
        body["size"] = min(body["size"], 1024)  # each kind of file has a limit of its own
    else:
        _complete_protocol(case, operation, body)
        _complete_money(case, operation, body)
    key = (case.headers or {}).get("Idempotency-Key")
    if key and _valid(case, "header"):  # used twice with different bodies, it is refused
        case.headers["Idempotency-Key"] = f"{str(key)[:200].rstrip()}{uuid.uuid4().hex}"
    if operation == "listJobs" and case.query and _valid(case, "query"):
        _complete_list(case.query)


def _complete_job(body: dict[str, Any]) -> None:
    body.update(modelId=MODEL, userId=USER, parameters={"prompt": "a fence"})
    agreed = {
        "prompt": "a fence",
        "mediaType": "image",
        "metadata": METADATA,
        "callbackUrl": _NOBODY_LISTENS,
    }
    body.update({name: value for name, value in agreed.items() if name in body})
    if "callbackEvents" in body:
        body["callbackUrl"] = _NOBODY_LISTENS


def _complete_protocol(case: Any, operation: str, body: dict[str, Any]) -> None:
    if operation == "createImage":
        _complete_image(body)
    elif operation == "editImage":
        _complete_edit(case)
    elif operation == "getOpenAIModel" and _valid(case, "path"):
        case.path_parameters["model"] = MODEL
    elif operation == "sendMcpMessage":
        # Of what JSON-RPC lets through, the protocol knows little.
        body.update(method="tools/call", params={"name": "my_budget", "arguments": {}})


def _complete_edit(case: Any) -> None:
    """A form has text alone, so its only fault that is one for certain is what is missing."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        case.body = {"model": "flux-dev", "prompt": "a fence", "image": _PICTURE}
    else:
        case.body = {"model": "flux-dev", "prompt": "a fence"}


def _complete_image(body: dict[str, Any]) -> None:
    """Of a model that knows what is asked of it."""
    body.update(model=MODEL, prompt="a fence")
    agreed = {"n": 1, "size": "512x512", "output_format": "png", "quality": "auto"}
    agreed |= {"background": "auto", "moderation": "auto"}
    body.update({name: value for name, value in agreed.items() if name in body})
    known = {*agreed, "model", "prompt", "output_compression", "response_format", "user"}
    for name in body.keys() - known:
        del body[name]


def _complete_list(query: dict[str, Any]) -> None:
    if "metadata" in query:
        query["metadata"] = METADATA
    if "q" in query:
        query["q"] = "a fence"
    if "cursor" in query:
        query["cursor"] = _cursor(query)


def _cursor(query: Mapping[str, Any]) -> str:
    """As a page of this very list would have given it; of filters that are wrong any will do."""
    try:
        named = {f"metadata[{key}]": value for key, value in query.get("metadata", {}).items()}
        others = {name: str(query[name]) for name in query.keys() - {"cursor", "metadata"}}
        user = query.get("userId") or os.environ.get(CALLER_VARIABLE) or None
        wanted = ListRequest.parse(others | named, user).wanted
    except InvalidRequest:
        wanted = JobFilter()
    return Position(_START, new_job_id(_START, "cursor")).cursor(wanted)


def _complete_money(case: Any, operation: str, body: dict[str, Any]) -> None:
    if operation == "getUsage" and _valid(case, "query"):
        for name in {"from", "to"} & (case.query or {}).keys():
            case.query[name] = datetime.now(UTC).date().isoformat()
    elif operation == "grantCredits" and "amount" in body:
        body["amount"] = "0.000001"


def _valid(case: Any, place: str) -> bool:
    """Whether this part of the request is meant to be as the document says."""
    if case.meta is None:
        return True
    parts = {where.value: part.mode for where, part in case.meta.components.items()}
    return place not in parts or bool(parts[place].is_positive)


def _confine(case: Any) -> None:
    """The user is one of ours, the callback reaches nobody, and waiting is short."""
    for part in (case.body, case.query):
        if isinstance(part, MutableMapping):
            if is_user_id(part.get("userId")):
                part["userId"] = USER
            if _may_be_called(part.get("callbackUrl")):
                part["callbackUrl"] = _NOBODY_LISTENS
    if case.path.startswith(("/openai", "/mcp")) and _valid(case, "header"):
        case.headers["VSL-User"] = USER
        if "MCP-Protocol-Version" in case.headers:  # the newest wants more of a request
            case.headers["MCP-Protocol-Version"] = "2025-06-18"
    wait = str((case.query or {}).get("wait", ""))
    if wait.isascii() and wait.isdigit() and _LONGEST_WAIT < int(wait) <= 25:
        case.query["wait"] = _LONGEST_WAIT
    if "wait" in str((case.headers or {}).get("Prefer", "")):
        once = case.meta is None or case.meta.phase.name.value != "coverage"
        case.headers["Prefer"] = f"wait={_LONGEST_WAIT}" if once else "respond-async"


def _confine_money(case: Any) -> None:
    """Limits and credits are another user's, and never the whole deployment's."""
    operation = case.operation.definition.raw["operationId"]
    owner = (case.path_parameters or {}).get("owner")
    if operation == "setBudget" and (owner == STAGE or is_user_id(owner)):
        case.path_parameters["owner"] = OTHER_USER
    given = operation == "grantCredits" and isinstance(case.body, MutableMapping)
    if given and is_user_id(case.body.get("userId")):
        case.body["userId"] = OTHER_USER


def _may_be_called(url: object) -> bool:
    try:
        check_callback_url(url, local=True)
    except ValueError:
        return False
    return True


def _sign(case: Any) -> None:
    raw = json.dumps(case.body).encode() if isinstance(case.body, dict | list) else b""
    timestamp = str(int(time.time()))
    signature = sign(os.environ[SECRET_VARIABLE], "msg_fuzz", timestamp, raw)
    case.headers.update(
        {
            "webhook-id": "msg_fuzz",
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }
    )
    if raw:
        case.body = raw
