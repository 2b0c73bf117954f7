"""A job as Replicate's API shows a prediction.

What a job must remember of the protocol it came by stands in its metadata, under names that no rule forbids
to others: a job of POST /generate-media that carries them is told of in this shape too, to its own client.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsl.domain.catalogue.models import Model
from vsl.domain.compat.replicate_input import as_sent
from vsl.domain.compat.replicate_models import is_deployment, slug_of, version_of
from vsl.domain.compat.replicate_request import PredictionRequest, WebhookEvent
from vsl.domain.jobs.job import JobStatus
from vsl.domain.times import iso

INPUTS = "replicate.inputs"
"""The names of the inputs that were sent, in order: the rest of a job's parameters are defaults."""
WEBHOOK = "replicate.webhook"
"""The events of the webhook: the job's callbacks have the provider's shape."""

_MAX_INPUTS = 1500

_STATUS = {
    JobStatus.PENDING: "starting",
    JobStatus.PROCESSING: "processing",
    JobStatus.STORING: "processing",
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELED: "canceled",
}


@dataclass(frozen=True, slots=True)
class PredictionFacts:
    """What PostgreSQL knows of a job beside its status; times in seconds."""

    parameters: Mapping[str, Any]
    callback_url: str | None = None
    started_at: datetime | None = None
    predict_time: float | None = None
    total_time: float | None = None


def metadata_of(request: PredictionRequest) -> dict[str, str]:
    """What the job remembers. Too many names are not worth remembering: then defaults are shown as well."""
    names = json.dumps(list(request.input), separators=(",", ":"))
    known = {INPUTS: names} if len(names.encode()) <= _MAX_INPUTS else {}
    if request.webhook:
        known[WEBHOOK] = " ".join(request.events) if request.filtered else ""
    return known


def has_webhook(metadata: Mapping[str, str] | None) -> bool:
    """Whether the job's callbacks are to have the provider's shape."""
    return WEBHOOK in (metadata or {})


def prediction_document(
    status: Mapping[str, Any],
    facts: PredictionFacts,
    model: Model | None,
    output: Any,
    api: str,
) -> dict[str, Any]:
    """`status` is the public status document, `output` what `prediction_output` found of it, `api` the
    address of the protocol, without a slash at its end."""
    job_id, metadata = status["jobId"], status.get("metadata") or {}
    state = JobStatus(status["status"])
    canceled = state is JobStatus.CANCELED
    address = f"{api}/predictions/{job_id}"
    document: dict[str, Any] = {
        "id": job_id,
        "model": slug_of(model) if model else status["modelId"],
        "version": version_of(model) if model else "",
        "input": as_sent(model, facts.parameters, _names(metadata), api),
        "output": output,
        "logs": status.get("logs") or "",
        "error": None if canceled else status.get("errorDetail") or status.get("error"),
        "status": _STATUS[state],
        "created_at": status["createdAt"],
        "started_at": None if facts.started_at is None else iso(facts.started_at),
        "completed_at": status["completedAt"],
        "data_removed": False,
        "source": "api",
        "metrics": _metrics(facts),
        "urls": {"get": address, "cancel": f"{address}/cancel"},
    }
    if model and is_deployment(model):
        document["deployment"] = slug_of(model)
    if has_webhook(metadata) and facts.callback_url:
        document["webhook"] = facts.callback_url
        events = metadata[WEBHOOK].split()
        if events:
            document["webhook_events_filter"] = [
                event.value for event in WebhookEvent if event in events
            ]
    return document


def _metrics(facts: PredictionFacts) -> dict[str, float]:
    known = {"predict_time": facts.predict_time, "total_time": facts.total_time}
    return {name: value for name, value in known.items() if value is not None}


def _names(metadata: Mapping[str, str]) -> Sequence[str] | None:
    """None where the job does not remember them."""
    try:
        names = json.loads(metadata[INPUTS])
    except (KeyError, ValueError):
        return None
    return [str(name) for name in names] if isinstance(names, list) else None
