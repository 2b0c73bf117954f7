"""Webhook intake: proven, matched to its job, harmless when repeated or out of order."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.outside import Secrets
from tests.unit.services.conftest import World
from vsl.domain.errors import InvalidRequest, InvalidSignature, JobNotFound
from vsl.domain.ids import new_job_id
from vsl.domain.signature import sign
from vsl.domain.webhook_url import webhook_url
from vsl.services.process_webhook import Delivery, Intake, process_webhook
from vsl.services.rendezvous import register_token

SECRET = "whsec_" + "c2VjcmV0" * 4
OTHER = "whsec_" + "b3RoZXIh" * 4
PREDICTION = "a" * 26


def body(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "id": PREDICTION,
        "status": "succeeded",
        "output": ["https://replicate.delivery/out-0.webp"],
        "completed_at": world.clock.now().isoformat(),
        "webhook": webhook_url("https://api.example.com", world.job.job_id, 1),
        **changes,
    }


def deliver(
    world: World,
    content: dict[str, Any] | bytes,
    *,
    secret: str = SECRET,
    message: str = "msg_1",
    query: dict[str, str] | None = None,
    age: int = 0,
    secrets: Secrets | None = None,
) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    timestamp = str(int(world.clock.now().timestamp()) - age)
    headers = {
        "Webhook-Id": message,
        "Webhook-Timestamp": timestamp,
        "Webhook-Signature": f"v1,{sign(secret, message, timestamp, raw)}",
    }
    default = {"jobId": world.job.job_id, "attempt": "1"}
    return process_webhook(
        Delivery(headers, raw, default if query is None else query),
        secrets or Secrets([SECRET]),
        Intake(
            live=world.live,
            callbacks=world.callbacks,
            provider=world.provider,
            memory=world.memory,
            accounting=world.accounting,
            cost=lambda _job, _outcome: Decimal("0.25"),
            clock=world.clock,
            metrics=world.metrics,
        ),
    )


def test_an_end_is_recorded_and_wakes_the_job(world: World) -> None:
    register_token(
        world.job.job_id, "token", live=world.live, callbacks=world.callbacks, clock=world.clock
    )
    assert deliver(world, body(world)) == "recorded"
    assert world.callbacks.results() == [("token", "succeeded")]
    (receipt,) = world.item().webhooks
    assert (receipt.webhook_id, receipt.prediction_status) == ("msg_1", "succeeded")
    assert [name for name, _ in world.metrics.timed] == ["WebhookLatency"]


@pytest.mark.parametrize("remembers", [True, False], ids=["with Redis", "without Redis"])
def test_a_repeated_end_changes_nothing(world: World, *, remembers: bool) -> None:
    world.memory.remembers = remembers
    assert deliver(world, body(world)) == "recorded"
    assert deliver(world, body(world)) == "duplicate"
    assert deliver(world, body(world), message="msg_2") == "duplicate"
    assert len(world.item().webhooks) == 1


def test_a_webhook_before_the_create_answer_attaches_the_prediction(world: World) -> None:
    now = world.clock.now()
    world.live.write_intent(world.job.job_id, 1, now, now)
    assert deliver(world, body(world, status="processing", output=None)) == "started"
    assert world.item().replicate_id == PREDICTION


def test_an_end_before_the_create_answer_is_recorded_with_its_attempt(world: World) -> None:
    now = world.clock.now()
    world.live.write_intent(world.job.job_id, 1, now, now)
    assert deliver(world, body(world)) == "recorded"
    (submitted,) = [event for event in world.item().events if event.name == "submitted"]
    assert (submitted.source, submitted.detail) == (
        "webhook",
        {"attempt": 1, "replicateId": PREDICTION},
    )


def test_a_mark_of_the_submission_stays(world: World) -> None:
    now = world.clock.now()
    world.live.record_prediction(world.job.job_id, 1, PREDICTION, now, "workflow")
    deliver(world, body(world, status="starting", output=None))
    deliver(world, body(world), message="msg_2")
    (submitted,) = [event for event in world.item().events if event.name == "submitted"]
    assert submitted.source == "workflow"


def test_a_straggler_after_the_end_is_ignored(world: World) -> None:
    deliver(world, body(world))
    assert deliver(world, body(world, status="processing"), message="msg_0") == "ignored"
    outcome = world.item().outcome
    assert outcome is not None
    assert outcome.status == "succeeded"


def test_a_second_prediction_of_the_job_is_stopped(world: World) -> None:
    deliver(world, body(world, status="starting"))
    late = world.provider.create("m", {}, "w", 60)
    assert deliver(world, body(world, id=late.id, status="processing")) == "wasted"
    assert world.provider.canceled == [late.id]
    assert world.item().replicate_id == PREDICTION
    assert world.metrics.names().count("PredictionWasted") == 1
    assert [waste.replicate_id for waste in world.item().waste] == [late.id]
    assert world.accounting.waste == {}, "it has not ended yet"
    canceled = body(world, id=late.id, status="canceled", output=None)
    assert deliver(world, canceled, message="msg_3") == "wasted"
    assert world.accounting.waste[late.id].cost == Decimal("0.25")


def test_a_prediction_given_up_does_not_come_back(world: World) -> None:
    interrupted = body(world, status="failed", output=None, error="interrupted (code: PA)")
    deliver(world, interrupted)
    world.live.give_up_prediction(world.job.job_id, PREDICTION, world.clock.now())
    world.memory.remembers = False
    assert deliver(world, interrupted, message="msg_2") == "ignored"
    assert world.item().replicate_id is None


def test_a_forged_signature_is_refused_and_counted(world: World) -> None:
    with pytest.raises(InvalidSignature):
        deliver(world, body(world), secret=OTHER)
    assert world.item().outcome is None
    assert world.metrics.names() == ["WebhookRejected"]


def test_a_secret_that_was_rotated_just_now_is_taken(world: World) -> None:
    secrets = Secrets([SECRET], rotated=[OTHER, SECRET])
    assert deliver(world, body(world), secret=OTHER, secrets=secrets) == "recorded"
    assert "WebhookRejected" not in world.metrics.names()


def test_nobody_is_asked_about_a_signature_that_fits(world: World) -> None:
    secrets = Secrets([SECRET])
    deliver(world, body(world), secrets=secrets)
    assert secrets.asked == 0


def test_an_old_delivery_is_refused(world: World) -> None:
    with pytest.raises(InvalidSignature):
        deliver(world, body(world), age=301)


def test_an_unknown_job_is_not_found_so_that_the_provider_retries(world: World) -> None:
    unknown = new_job_id(world.clock.now(), "unknown")
    content = body(world, webhook=webhook_url("https://api.example.com", unknown, 1))
    with pytest.raises(JobNotFound):
        deliver(world, content, query={"jobId": unknown, "attempt": "1"})


def test_a_signed_body_cannot_be_turned_on_another_job(world: World) -> None:
    other = {"jobId": new_job_id(world.clock.now(), "other"), "attempt": "1"}
    with pytest.raises(InvalidRequest):
        deliver(world, body(world), query=other)


def test_without_our_address_the_prediction_id_finds_the_job(world: World) -> None:
    world.live.record_prediction(world.job.job_id, 1, PREDICTION, world.clock.now(), "workflow")
    assert deliver(world, body(world, webhook=None), query={}) == "recorded"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"id": "x"}', b'{"id":"x","status":"odd"}']
)
def test_a_signed_body_that_is_no_prediction(world: World, content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        deliver(world, content)


def test_nothing_is_remembered_before_the_work_is_done(world: World) -> None:
    """The hint is set last: a crash in between must not make the retry look like a duplicate."""

    class DownError(Exception):
        pass

    def down(*_: object) -> None:
        raise DownError

    register_token(
        world.job.job_id, "token", live=world.live, callbacks=world.callbacks, clock=world.clock
    )
    world.callbacks.succeed = down  # type: ignore[method-assign, assignment]
    with pytest.raises(DownError):
        deliver(world, body(world))
    assert world.memory.ids == set()
