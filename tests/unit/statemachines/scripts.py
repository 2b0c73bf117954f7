"""Scripted step functions: each answers as its contract says, and fails when it is told to."""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.machines import Fault, Handler, Machines
from vsl.domain.predictions.prediction import Outcome, PredictionStatus

JOB_ID = "01981d2a-0000-7000-8000-000000000001"
JOB = {"jobId": JOB_ID, "userId": "u1", "modelId": "flux-schnell"}
KEY = {"id": "generate-media#1", "bodyHash": "2"}
VALIDATED: dict[str, Any] = {"job": JOB, "key": KEY, "created": False, "started": False}
_SUCCEEDED = Outcome(
    "r1", PredictionStatus.SUCCEEDED, "webhook", output=("https://replicate.delivery/x/out.webp",)
)
OUTCOME = {**_SUCCEEDED.document(), "attempt": 1}
ANSWER: dict[str, Any] = {
    "statusCode": 202,
    "headers": {"Content-Type": "application/json", "Location": f"/status/{JOB_ID}"},
    "body": json.dumps({"jobId": JOB_ID, "text": '"it\'s" \\ \n # $x é'}),
}
RATE_LIMIT = {"RateLimit": '"hour";r=9;t=60', "RateLimit-Policy": '"hour";q=10;w=3600'}
PLACE = {"queuePosition": 3, "estimatedStart": "2026-03-01T12:00:07.000Z"}
ACCEPTED = {
    **ANSWER,
    "headers": {**ANSWER["headers"], **RATE_LIMIT},
    "body": json.dumps({**json.loads(ANSWER["body"]), **PLACE}),
}
REFUSAL = {"statusCode": 429, "headers": {"Retry-After": "7"}, "body": '{"code":"RateLimited"}'}


def told(output: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with its body as JSON, however that is spaced."""
    return {**output, "body": json.loads(output["body"])}


def scripts(
    engine: Machines, faults: Mapping[str, Iterable[str | Exception]], wait: int = 0
) -> dict[str, Handler]:
    """Functions that work, after each has raised its `faults` one by one.

    AwaitPrediction answers its own token, as it does when the webhook came first; so does AwaitSlot.
    """

    def awaited(event: dict[str, Any]) -> None:
        engine.client.send_task_success(taskToken=event["taskToken"], output=json.dumps(OUTCOME))

    def granted(event: dict[str, Any]) -> None:
        engine.client.send_task_success(taskToken=event["taskToken"], output="{}")

    def recorded(event: dict[str, Any]) -> dict[str, str]:
        return {"error": event["input"]["error"]["Error"], "cause": "as recorded"}

    handlers: dict[str, Handler] = {
        "validate_request": lambda _: {**VALIDATED, "answer": ANSWER, "wait": wait},
        "check_rate_limit": lambda event: {
            "first": True,
            "headers": RATE_LIMIT,
            "place": PLACE,
            "validatedAt": event["validatedAt"],
        },
        "create_job": lambda _: {"jobId": JOB_ID},
        "submit_prediction": lambda _: {"replicateId": "r1", "attempt": 1},
        "await_slot": granted,
        "await_prediction": awaited,
        "resolve_timeout": lambda _: {**OUTCOME, "source": "timeout"},
        "store_media": lambda _: {"assets": [{"index": 0}]},
        "finalize_job": lambda _: {"status": "succeeded"},
        "record_failure": recorded,
        "wait_for_job": lambda _: {**ANSWER, "statusCode": 200, "body": "{}"},
        "reject_request": lambda _: REFUSAL,
    }
    return {name: _failing(faults.get(name, ()), handler) for name, handler in handlers.items()}


def _failing(faults: Iterable[str | Exception], handler: Handler) -> Handler:
    waiting = deque(faults)

    def call(event: dict[str, Any]) -> Any:
        if waiting:
            fault = waiting.popleft()
            raise fault if isinstance(fault, Exception) else Fault(fault)
        return handler(event)

    return call
