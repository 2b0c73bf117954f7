"""What a provider really says now and then: each job ends, with what can be known of it.

Each row is told by the webhook, some again, with the webhook lost, by the poller.
"""

import base64
import hashlib
import io
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from devstack.replicate.faults import AnyRule, OddAnswer, PredictionFails, WebhookFault
from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def picture(side: int) -> bytes:
    """A PNG of noise, which no compression makes smaller."""
    pixels = random.Random(side).randbytes(3 * side * side)
    content = io.BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(content, "PNG")
    return content.getvalue()


def data_url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


MEDIUM, LARGE = picture(220), picture(300)  # some 200 and 370 KB as data URLs


@dataclass(frozen=True)
class Row:
    """`fields` is what the provider tells, as JSON; `ends` what the job's status then says."""

    name: str
    fields: str
    ends: Mapping[str, Any]
    error: str | None = None
    stored: tuple[bytes, ...] = ()

    def rules(self, prompt: str) -> list[AnyRule]:
        match = {"match": {"prompt": prompt}}
        odd = OddAnswer.model_validate({**match, "fields": self.fields})
        if self.error is None:
            return [odd]
        return [odd, PredictionFails.model_validate({**match, "error": self.error})]


SUCCEEDED = {"status": "succeeded", "errorCode": None}
NOTHING = {"status": "failed", "errorCode": "OutputMissing", "actualCost": "0"}
NO_ZONE = '"started_at":"2026-03-01T12:00:00","completed_at":"2026-03-01T12:00:05"'


def failed(message: str, code: str = "PredictionFailed") -> Mapping[str, Any]:
    return {"status": "failed", "errorCode": code, "error": message}


FLAGGED = "The model's moderation flagged the input or the output; change the input."
ROWS = [
    Row(
        "a clock that ran backwards",
        '{"metrics":{"predict_time":0.8,"total_time":-0.5}}',
        SUCCEEDED,
    ),
    Row(
        "numbers beyond any clock",
        '{"metrics":{"predict_time":1e300,"total_time":1e400}}',
        SUCCEEDED,
    ),
    Row("metrics of a list", '{"metrics":[1],"logs":{"a":1},"data_removed":"no"}', SUCCEEDED),
    Row("times without a zone", f"{{{NO_ZONE}}}", SUCCEEDED),
    Row(
        "half a pair, a bell and no zone",
        r'{"error":"half \ud83d \u0000\u001b[2J\u0007!",' + NO_ZONE + "}",
        failed("The model failed: half \ufffd !"),
        error="x",
    ),
    Row(
        "an error of an object",
        '{"error":{"detail":"no way"}}',
        failed('The model failed: {"detail": "no way"}'),
        error="x",
    ),
    Row(
        "moderation",
        '{"error":"Request Moderated"}',
        failed(FLAGGED, "ContentFlagged"),
        error="x",
    ),
    *(Row(f"output {output}", f'{{"output":{output}}}', NOTHING) for output in ("null", "[]", "4")),
    Row("four nulls", '{"output":[null,null,null,null]}', NOTHING),
    Row("200 KB", json.dumps({"output": [data_url(MEDIUM)]}), SUCCEEDED, stored=(MEDIUM,)),
    Row("370 KB", json.dumps({"output": data_url(LARGE)}), SUCCEEDED, stored=(LARGE,)),
]
BY_POLLER = {
    "a clock that ran backwards",
    "half a pair, a bell and no zone",
    "four nulls",
    "370 KB",
}
TOLD = [(row, "webhook") for row in ROWS] + [
    (row, "poller") for row in ROWS if row.name in BY_POLLER
]


@pytest.mark.parametrize(
    ("row", "told"), [pytest.param(row, told, id=f"{row.name}, {told}") for row, told in TOLD]
)
def test_the_job_ends(stack: Stack, row: Row, told: str) -> None:
    prompt = unique(row.name)
    lost = WebhookFault.model_validate({"match": {"prompt": prompt}, "kind": "drop"})
    stack.control.faults(*row.rules(prompt), *([lost] if told == "poller" else []))
    job_id = stack.api.submit("flux-schnell", {"prompt": prompt, "num_outputs": 4})
    if told == "poller":
        poll_until_it_has_ended(stack, job_id)
    status = stack.api.finish(job_id)
    assert {name: status[name] for name in row.ends} == row.ends
    outputs = status["outputs"]
    assert len(outputs) == (len(row.stored) or (4 if row.ends is SUCCEEDED else 0))
    for content, output in zip(row.stored, outputs, strict=False):
        assert output["sha256"] == hashlib.sha256(content).hexdigest()
        assert status["actualCost"] == "0.003"
    timeline = web.get(f"{stack.api.url}/jobs/{job_id}/timeline")
    assert timeline.status_code == 200
    assert timeline.json()["wokenBy"] == told


def poll_until_it_has_ended(stack: Stack, job_id: str) -> None:
    """The poller's own schedule is a minute, and a model's first check comes when it should be done."""
    while stack.api.status(job_id)["status"] in {"pending", "processing"}:
        stack.invoke("PollPredictionsFunction", {})
        time.sleep(0.3)
