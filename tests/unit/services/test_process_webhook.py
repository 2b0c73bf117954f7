"""Webhook intake: proven, matched to its job, harmless when repeated or out of order."""

import json
from base64 import b64encode
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.support.fakes import Secrets
from tests.support.jobs import INTENT, make_job
from tests.unit.services.conftest import World
from vsl.domain.errors import (
    InvalidRequest,
    InvalidSignature,
    JobNotFound,
    ProviderUnavailable,
)
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import Job
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.output import OutputKind
from vsl.domain.predictions.signature import sign
from vsl.services.waiting.verify_webhook import Delivery

SECRET = "whsec_" + "c2VjcmV0" * 4
OTHER = "whsec_" + "b3RoZXIh" * 4
PREDICTION = "a" * 26
HALF = "half \ud83d"


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
    world.clock.advance(0.001)  # two at the same moment have no order
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    timestamp = str(int(world.clock.now().timestamp()) - age)
    headers = {
        "Webhook-Id": message,
        "Webhook-Timestamp": timestamp,
        "Webhook-Signature": f"v1,{sign(secret, message, timestamp, raw)}",
    }
    default = {"jobId": world.job.job_id, "attempt": "1"}
    process_webhook = replace(world, fixed_cost=Decimal("0.25")).process_webhook(
        secrets or Secrets([SECRET])
    )
    return process_webhook(Delivery(headers, raw, default if query is None else query))


def test_an_end_is_recorded_and_wakes_the_job(world: World) -> None:
    world.await_prediction(world.job.job_id, "token")
    assert deliver(world, body(world)) == "recorded"
    assert world.tokens.results() == [("token", "succeeded")]
    (receipt,) = world.item().webhooks
    assert (receipt.webhook_id, receipt.prediction_status) == ("msg_1", "succeeded")
    assert [name for name, _ in world.metrics.timed] == ["WebhookLatency"]


@pytest.mark.parametrize("with_address", [True, False])
@pytest.mark.parametrize("text", ["A fox.", "https://replicate.delivery/out-0.webp"])
def test_the_address_or_the_job_tells_that_an_output_is_a_text(
    world: World, text: str, *, with_address: bool
) -> None:
    world.job = make_job("writes", output=OutputKind.TEXT)
    world.tracking.create(world.job, world.job.deadline, None)
    world.tracking.write_intent(world.job.job_id, 1, world.clock.now(), world.clock.now(), INTENT)
    world.tracking.record_prediction(world.job.job_id, 1, PREDICTION, world.clock.now(), "workflow")
    address = webhook_url("https://api.example.com", world.job.job_id, 1, OutputKind.TEXT)
    told = address if with_address else None
    assert deliver(world, body(world, output=[text], webhook=told)) == "recorded"
    outcome = world.item().outcome
    assert outcome is not None
    (address,) = outcome.output
    assert address == f"data:text/plain;base64,{b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("remembers", [True, False], ids=["with Redis", "without Redis"])
def test_a_repeated_end_changes_nothing(world: World, *, remembers: bool) -> None:
    world.deduplication.remembers = remembers
    assert deliver(world, body(world)) == "recorded"
    assert deliver(world, body(world)) == "duplicate"
    assert deliver(world, body(world), message="msg_2") == "duplicate"
    assert len(world.item().webhooks) == 1


def test_a_webhook_before_the_create_answer_attaches_the_prediction(world: World) -> None:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    assert deliver(world, body(world, status="processing", output=None)) == "started"
    assert world.item().replicate_id == PREDICTION


def test_an_end_before_the_create_answer_is_recorded_with_its_attempt(world: World) -> None:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    assert deliver(world, body(world)) == "recorded"
    (submitted,) = [event for event in world.item().events if event.name == "submitted"]
    assert (submitted.source, submitted.detail) == (
        "webhook",
        {"attempt": 1, "replicateId": PREDICTION},
    )


def test_a_mark_of_the_submission_stays(world: World) -> None:
    now = world.clock.now()
    world.tracking.record_prediction(world.job.job_id, 1, PREDICTION, now, "workflow")
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
    assert deliver(world, body(world, id=late.id, status="processing")) == "orphaned"
    assert world.provider.canceled == [late.id]
    assert world.item().replicate_id == PREDICTION
    assert world.metrics.names().count("OrphanedPrediction") == 1
    assert [orphan.replicate_id for orphan in world.item().orphans] == [late.id]
    assert world.repository.orphans == {}, "it has not ended yet"
    canceled = body(world, id=late.id, status="canceled", output=None)
    assert deliver(world, canceled, message="msg_3") == "orphaned"
    assert world.repository.orphans[late.id].cost == Decimal("0.25")


def test_an_abandoned_prediction_does_not_come_back(world: World) -> None:
    interrupted = body(world, status="failed", output=None, error="interrupted (code: PA)")
    deliver(world, interrupted)
    world.tracking.abandon_prediction(world.job.job_id, PREDICTION, world.clock.now())
    world.deduplication.remembers = False
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


def test_no_secret_is_read_again_for_a_signature_that_fits(world: World) -> None:
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


# The provider leaves its echo out, or another client of the same account wanted to be called elsewhere.
NOT_OURS = [None, "", "https://elsewhere.example/hook", "https://elsewhere.example/hook?jobId=1"]


@pytest.mark.parametrize("webhook", NOT_OURS)
@pytest.mark.parametrize("named", [True, False])
def test_without_our_address_the_prediction_id_finds_the_job(
    world: World, webhook: str | None, *, named: bool
) -> None:
    world.tracking.record_prediction(world.job.job_id, 1, PREDICTION, world.clock.now(), "workflow")
    content = body(world, webhook=webhook)
    assert deliver(world, content, query=None if named else {}) == "recorded"


def submitting(world: World, name: str) -> Job:
    """Another job, whose prediction is just being made: it would take any for its own."""
    job, now = make_job(name), world.clock.now()
    world.tracking.create(job, job.deadline, None)
    world.tracking.write_intent(job.job_id, 1, now, now, INTENT)
    return job


@pytest.mark.parametrize("status", ["processing", "succeeded"])
@pytest.mark.parametrize("webhook", NOT_OURS)
def test_without_our_address_the_query_cannot_name_another_job(
    world: World, webhook: str | None, status: str
) -> None:
    world.tracking.record_prediction(world.job.job_id, 1, PREDICTION, world.clock.now(), "workflow")
    other = submitting(world, "other")
    with pytest.raises(InvalidRequest):
        deliver(
            world,
            body(world, webhook=webhook, status=status),
            query={"jobId": other.job_id, "attempt": "1"},
        )
    for job, known in ((world.job, PREDICTION), (other, None)):
        item = world.tracking.get(job.job_id)
        assert item is not None
        assert (item.replicate_id, item.outcome) == (known, None)


@pytest.mark.parametrize("status", ["processing", "succeeded"])
@pytest.mark.parametrize("webhook", NOT_OURS)
def test_an_unknown_prediction_is_no_jobs_because_the_query_says_so(
    world: World, webhook: str | None, status: str
) -> None:
    """The provider tries again; by then the answer to our own POST is recorded, if it was ours."""
    job = submitting(world, "other")
    query = {"jobId": job.job_id, "attempt": "1"}
    with pytest.raises(JobNotFound):
        deliver(world, body(world, webhook=webhook, status=status), query=query)
    item = world.tracking.get(job.job_id)
    assert item is not None
    assert (item.replicate_id, item.outcome, item.webhooks) == (None, None, ())
    assert not world.deduplication.ids, "the next try is looked at again"


def test_a_start_before_the_create_answer_is_what_the_provider_says_it_is(world: World) -> None:
    job = submitting(world, "other")
    made = world.provider.create("m", {}, webhook_url("https://a.example", job.job_id, 1), 60)
    content = body(world, id=made.id, webhook=None, status="starting", output=None)
    own = {"jobId": job.job_id, "attempt": "1"}
    wrong = {"jobId": world.job.job_id, "attempt": "1"}
    with pytest.raises(InvalidRequest):
        deliver(world, content, query=wrong)
    assert world.item().replicate_id is None
    assert deliver(world, content, query=own) == "started"
    item = world.tracking.get(job.job_id)
    assert item is not None
    assert item.replicate_id == made.id


def test_while_the_provider_cannot_be_asked_it_is_to_try_again(world: World) -> None:
    def away() -> None:
        raise ProviderUnavailable("The provider does not answer.")

    world.provider.before_read = away
    with pytest.raises(ProviderUnavailable):
        deliver(world, body(world, webhook=None))
    assert world.item().replicate_id is None


def test_of_what_is_no_jobs_own_the_provider_says_whose_it_was(world: World) -> None:
    """The index knows each job's own prediction: no abandoned and no orphaned one."""
    now = world.clock.now()
    ours = webhook_url("https://a.example", world.job.job_id, 1)
    abandoned, orphan = (world.provider.create("m", {}, ours, 60).id for _ in range(2))
    failed = {"status": "failed", "output": None, "error": "interrupted (code: PA)"}
    deliver(world, body(world, id=abandoned, **failed))
    world.tracking.abandon_prediction(world.job.job_id, abandoned, now)
    world.tracking.record_prediction(world.job.job_id, 2, PREDICTION, now, "workflow")
    world.deduplication.remembers = False
    again = body(world, id=abandoned, webhook=None, **failed)
    assert deliver(world, again, message="msg_2") == "ignored"
    assert deliver(world, body(world, id=orphan, webhook=None), message="msg_3") == "orphaned"
    assert world.item().replicate_id == PREDICTION


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"id": "x"}',
        b'{"id":"x","status":["odd"]}',
        b'{"id":"","status":"failed"}',
    ],
)
def test_a_signed_body_that_is_no_prediction(world: World, content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        deliver(world, content)


def test_an_unknown_status_is_a_sign_of_life(world: World) -> None:
    """As the poller takes it: the prediction is watched until the job's deadline."""
    assert deliver(world, body(world, status="paused")) == "started"
    assert world.item().outcome is None


def test_what_cannot_have_been_measured_is_left_out_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = {"predict_time": 0.8, "total_time": -0.5}
    assert deliver(world, body(world, metrics=metrics)) == "recorded"
    outcome = world.item().outcome
    assert outcome is not None
    assert (outcome.predict_time, outcome.total_time) == (0.8, None)
    (line,) = caplog.messages
    assert f"prediction {PREDICTION}" in line
    assert "total_time -0.5" in line


@pytest.mark.parametrize(
    ("completed_at", "measured"),
    [
        ("2026-03-01T11:59:58", 1),
        ("2026-03-01T12:00:09Z", 1),
        ("2025-03-01T12:00:00Z", 0),
        (HALF, 0),
    ],
)
def test_the_time_a_webhook_took_is_measured_where_it_can_be(
    world: World, completed_at: str, measured: int
) -> None:
    assert deliver(world, body(world, completed_at=completed_at)) == "recorded"
    latencies = [value for name, value in world.metrics.timed if name == "WebhookLatency"]
    assert len(latencies) == measured
    assert all(0 <= value <= 2.001 for value in latencies)


@pytest.mark.parametrize("message", ["m" * 4000, "caf\xe9\x1b", "\x07"])
def test_the_id_of_a_message_is_short_and_plain(world: World, message: str) -> None:
    assert deliver(world, body(world), message=message) == "recorded"
    (receipt,) = world.item().webhooks
    assert 1 <= len(receipt.webhook_id) <= 100
    assert receipt.webhook_id.isprintable()


def test_nothing_is_remembered_before_the_work_is_done(world: World) -> None:
    """The hint is set last: a crash in between must not make the retry look like a duplicate."""

    class DownError(Exception):
        pass

    def down(*_: object) -> None:
        raise DownError

    world.await_prediction(world.job.job_id, "token")
    world.tokens.succeed = down  # type: ignore[method-assign, assignment]
    with pytest.raises(DownError):
        deliver(world, body(world))
    assert world.deduplication.ids == set()


def test_an_orphan_never_becomes_the_job_s_own(world: World) -> None:
    """It was stopped while the job had another one, which the provider then broke off."""
    deliver(world, body(world, status="starting", output=None))
    late = world.provider.create("m", {}, "w", 60)
    assert deliver(world, body(world, id=late.id, status="processing"), message="m2") == "orphaned"
    broken = body(world, status="failed", error="Prediction interrupted (code: PA)", output=None)
    assert deliver(world, broken, message="m3") == "recorded"
    world.tracking.abandon_prediction(world.job.job_id, PREDICTION, world.clock.now())
    canceled = body(world, id=late.id, status="canceled", output=None)
    assert deliver(world, canceled, message="m4") == "orphaned"
    assert world.item().replicate_id is None
    assert world.repository.orphans[late.id].cost == Decimal("0.25")
    item = world.tracking.record_prediction(world.job.job_id, 2, late.id, world.clock.now(), "list")
    assert item.replicate_id is None
