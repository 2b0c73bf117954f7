"""The body that asks Replicate's API for a prediction.

`{version?, input, webhook?, webhook_events_filter?, stream?}`, and nothing else at the top level, as the
provider's schema has it (https://api.replicate.com/openapi.json, `schemas.prediction_request`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vsl.domain.compat.replicate_problems import InvalidField, invalid
from vsl.domain.jobs.job import CallbackEvent
from vsl.domain.suggestions import named

ROOT = "/replicate/v1"
"""Where the protocol lies below the API's address."""

_KNOWN = ("input", "webhook", "webhook_events_filter", "stream")
_MAX_FAULTS = 20


class WebhookEvent(StrEnum):
    START = "start"
    OUTPUT = "output"
    LOGS = "logs"
    COMPLETED = "completed"


# Without a filter the provider tells of new outputs and of the end.
_USUAL = (WebhookEvent.OUTPUT, WebhookEvent.COMPLETED)


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """`version` is None where the address names the model; `events` are in the provider's order."""

    version: str | None
    input: Mapping[str, Any]
    webhook: str | None = None
    events: tuple[WebhookEvent, ...] = _USUAL
    filtered: bool = False

    @property
    def callback_events(self) -> list[str]:
        """What of ours tells the same: outputs and logs come with the end, and at no other time."""
        started = [CallbackEvent.STARTED] if WebhookEvent.START in self.events else []
        ended = [CallbackEvent.ENDED] if set(self.events) - {WebhookEvent.START} else []
        return [event.value for event in (*started, *ended)]


def parse_prediction_request(body: object, *, by_version: bool) -> PredictionRequest:
    """Raises ReplicateProblem (422) with every fault."""
    if not isinstance(body, Mapping):
        raise invalid([InvalidField("invalid_type", "", "body must be an object")])
    known = (*_KNOWN, "version") if by_version else _KNOWN
    faults = []
    version = body.get("version")
    if by_version and version is None:
        faults.append(InvalidField("required", "", "version is required"))
    elif by_version and not isinstance(version, str):
        faults.append(InvalidField("invalid_type", "version", "version must be a string"))
    given = body.get("input")
    if given is None:
        faults.append(InvalidField("required", "", "input is required"))
    elif not isinstance(given, Mapping):
        faults.append(InvalidField("invalid_type", "input", "input must be an object"))
    webhook = body.get("webhook")
    if webhook is not None and not isinstance(webhook, str):
        faults.append(InvalidField("invalid_type", "webhook", "webhook must be a string"))
    events, wrong = _events(body.get("webhook_events_filter"))
    faults += wrong
    faults += [
        InvalidField(
            "additional_property_not_allowed", "", f"Additional property {name} is not allowed"
        )
        for name in [named(str(each)) for each in body if each not in known][:_MAX_FAULTS]
    ]
    if faults:
        raise invalid(faults)
    return PredictionRequest(
        version if by_version else None,
        given or {},
        webhook or None,
        events or _USUAL,
        filtered=bool(events),
    )


def _events(given: object) -> tuple[tuple[WebhookEvent, ...], Sequence[InvalidField]]:
    name = "webhook_events_filter"
    if given is None:
        return (), ()
    if not isinstance(given, list) or any(each not in list(WebhookEvent) for each in given):
        offered = ", ".join(f'"{event}"' for event in WebhookEvent)
        message = f"{name} must be a list of any of the following: {offered}"
        return (), [InvalidField("enum", name, message)]
    return tuple(event for event in WebhookEvent if event in given), ()
