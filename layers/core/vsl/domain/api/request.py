"""The envelope of a request: who asks for which model with what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vsl.domain.callbacks.callback_url import check_callback_url
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.job import THE_END_ALONE, CallbackEvent, MediaType, Priority
from vsl.domain.jobs.metadata import read_metadata
from vsl.domain.suggestions import did_you_mean, listed, named

KEYS = (
    *("userId", "mediaType", "modelId", "parameters", "prompt", "metadata"),
    *("callbackUrl", "callbackEvents", "priority"),
)
_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:|+=~-]{0,127}")
# `/budgets/stage` is the whole deployment's; a user of that name would have none.
RESERVED_USER_ID = "stage"
MAX_MODEL_ID = 100
_MAX_REPORTED_FAULTS = 20


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """`parameters` are as given, the `prompt` shorthand folded in; the model has not seen them yet."""

    user_id: str
    media_type: MediaType | None
    model_id: str
    parameters: Mapping[str, Any]
    callback_url: str | None = None
    callback_events: tuple[CallbackEvent, ...] = THE_END_ALONE
    metadata: Mapping[str, str] = field(default_factory=dict)
    priority: Priority = Priority.INTERACTIVE


def parse_request(body: object, *, allow_http: bool = False) -> GenerateRequest:
    """Read `{userId, mediaType?, modelId, parameters?, prompt?, metadata?, callbackUrl?, callbackEvents?,
    priority?}`.

    `prompt` is short for `parameters.prompt`; `allow_http` as the local stack has it.

    Raises InvalidRequest whose `details.fields` lists every fault of the envelope.
    """
    if not isinstance(body, Mapping):
        raise _invalid({"body": "must be a JSON object"})
    faults: dict[str, str] = {}
    for key in body:
        if len(faults) == _MAX_REPORTED_FAULTS:
            break  # what is told of more is left out, and a suggestion takes its time
        if key not in KEYS:
            hint = did_you_mean(str(key), KEYS)
            faults[named(key)] = f"is not known here. {hint}Known are: {listed(KEYS)}"
    user_id = _user_id(body.get("userId"), faults)
    model_id = _model_id(body.get("modelId"), faults)
    media_type = _media_type(body, faults)
    parameters, wrong = folded_parameters(body)
    faults |= wrong
    callback_url = _callback_url(body, faults, allow_http)
    callback_events = _callback_events(body, faults)
    metadata, wrong = read_metadata(body.get("metadata", {}))
    faults |= wrong
    priority = read_priority(body, faults)
    if faults:
        raise _invalid(faults)
    return GenerateRequest(
        user_id=user_id,
        media_type=media_type,
        model_id=model_id,
        parameters=parameters,
        callback_url=callback_url,
        callback_events=callback_events,
        metadata=metadata,
        priority=priority,
    )


def is_user_id(value: object) -> bool:
    if not isinstance(value, str) or value == RESERVED_USER_ID:
        return False
    return _USER_ID.fullmatch(value) is not None


def _user_id(value: object, faults: dict[str, str]) -> str:
    if value is None:
        faults["userId"] = "is required"
    elif value == RESERVED_USER_ID:
        faults["userId"] = f"must not be {RESERVED_USER_ID}, which stands for the whole deployment"
    elif not is_user_id(value):
        faults["userId"] = (
            "must be 1 to 128 letters, digits or . _ @ : | + = ~ - and begin with a letter or digit"
        )
    return str(value)


def _model_id(value: object, faults: dict[str, str]) -> str:
    if value is None:
        faults["modelId"] = "is required"
    elif not isinstance(value, str) or not 1 <= len(value) <= MAX_MODEL_ID:
        faults["modelId"] = f"must be text of 1 to {MAX_MODEL_ID} characters"
    return str(value)


def _media_type(body: Mapping[str, object], faults: dict[str, str]) -> MediaType | None:
    if "mediaType" not in body:
        return None
    given = body["mediaType"]
    if isinstance(given, str) and given in MediaType:
        return MediaType(given)
    faults["mediaType"] = f"must be one of {listed(MediaType)}"
    return None


def folded_parameters(body: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, str]]:
    """The `parameters` with the `prompt` that stands beside them, and what is wrong with either."""
    faults: dict[str, str] = {}
    given = body.get("parameters", {})
    if not isinstance(given, Mapping):
        faults["parameters"] = "must be an object"
        given = {}
    parameters = dict(given)
    if "prompt" not in body:
        return parameters, faults
    prompt = body["prompt"]
    if not isinstance(prompt, str):
        faults["prompt"] = "must be text"
    elif parameters.setdefault("prompt", prompt) != prompt:
        faults["prompt"] = "differs from parameters.prompt; give it once"
    return parameters, faults


def read_priority(body: Mapping[str, object], faults: dict[str, str]) -> Priority:
    given = body.get("priority", Priority.INTERACTIVE)
    if isinstance(given, str) and given in Priority:
        return Priority(given)
    faults["priority"] = f"must be one of {listed(Priority)}"
    return Priority.INTERACTIVE


def _callback_url(
    body: Mapping[str, object], faults: dict[str, str], allow_http: bool
) -> str | None:
    if "callbackUrl" not in body:
        return None
    try:
        return check_callback_url(body["callbackUrl"], local=allow_http)
    except ValueError as error:
        faults["callbackUrl"] = str(error)
        return None


def _callback_events(
    body: Mapping[str, object], faults: dict[str, str]
) -> tuple[CallbackEvent, ...]:
    """In the order in which they happen, each once."""
    if "callbackEvents" not in body:
        return THE_END_ALONE
    given = body["callbackEvents"]
    if not isinstance(given, list) or not given:
        faults["callbackEvents"] = f"must be a list of any of {listed(CallbackEvent)}"
        return THE_END_ALONE
    for index, each in enumerate(given[:_MAX_REPORTED_FAULTS]):
        if not isinstance(each, str) or each not in CallbackEvent:
            faults[f"callbackEvents[{index}]"] = f"must be one of {listed(CallbackEvent)}"
    if "callbackUrl" not in body:
        faults.setdefault("callbackEvents", "needs a callbackUrl")
    return tuple(event for event in CallbackEvent if event in given)


def _invalid(faults: Mapping[str, str]) -> InvalidRequest:
    return InvalidRequest.of(list(faults.items())[:_MAX_REPORTED_FAULTS])
