"""One try to tell a client of its job's end: what is sent, what is written down, what follows."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.fakes import MemoryJobRepository, PlainSigner, RecordingMetrics, SteppedClock
from tests.support.jobs import make_job
from vsl.domain.api.caller import Caller
from vsl.domain.callbacks.callback import (
    ATTEMPTS,
    THE_END,
    THE_START,
    CallbackOutcome,
    CallbackTarget,
    DeliveryAttempt,
    Reply,
)
from vsl.domain.errors import JobNotEnded, JobNotFound, NoCallbackUrl, StoreUnavailable
from vsl.domain.jobs.job import CallbackEvent, FinishedJob, JobStatus
from vsl.domain.jobs.status import StatusDocument, asked_document, status_document
from vsl.services.callbacks.deliver_callback import CallbackMessage, DeliverCallback
from vsl.services.callbacks.list_callbacks import ListCallbacks
from vsl.services.callbacks.publish_start import PublishStart
from vsl.services.callbacks.replay_callback import ReplayCallback
from vsl.services.reading.show_status import ShowStatus

SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()  # pragma: allowlist secret
URL = "https://client.example/hook"
JOB = make_job()


@dataclass
class MemoryLog:
    """The rules of `adapters.postgres.callback_log` in memory."""

    known: CallbackTarget | None
    tries: list[DeliveryAttempt] = field(default_factory=list)

    def target(self, _job_id: str) -> CallbackTarget | None:
        return self.known

    def settled(self, _job_id: str, delivery_id: str) -> bool:
        ends = {CallbackOutcome.DELIVERED, CallbackOutcome.GONE}
        return any(each.delivery_id == delivery_id and each.outcome in ends for each in self.tries)

    def add(self, _job_id: str, attempt: DeliveryAttempt) -> None:
        self.tries.append(attempt)

    def attempts(self, _job_id: str) -> list[DeliveryAttempt]:
        return self.tries[::-1]


@dataclass
class Client:
    """A client that answers with these statuses, the last one for ever."""

    statuses: list[int | None]
    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.got.append((url, body, headers))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Reply(status, None if status else "refused", None, 7)


@dataclass
class Queue:
    asked: list[tuple[str, str]] = field(default_factory=list)

    def enqueue(self, job_id: str, delivery_id: str = THE_END) -> None:
        self.asked.append((job_id, delivery_id))


def log(status: JobStatus = JobStatus.FAILED, url: str | None = URL) -> MemoryLog:
    return MemoryLog(CallbackTarget(JOB.user_id, status, url))


def ours(_status: object) -> None:
    """No job came by another protocol."""


def deliver_callback(
    kept: MemoryLog, client: Client, own_shape: Callable[[Any], Any] = ours
) -> DeliverCallback:
    repository, clock = MemoryJobRepository(), SteppedClock()
    ended = FinishedJob(
        job=JOB, status=JobStatus.FAILED, completed_at=clock.now(), error_code="PredictionFailed"
    )
    repository.finish_job(ended)
    show = ShowStatus(PlainSigner())
    return DeliverCallback(
        repository, kept, client, show, lambda: SECRET, clock, RecordingMetrics(), own_shape
    )


def deliver(
    kept: MemoryLog, client: Client, attempt: int = 1, delivery: str = THE_END
) -> CallbackOutcome | None:
    return deliver_callback(kept, client)(CallbackMessage(JOB.job_id, delivery, attempt))


def test_the_body_is_that_of_the_jobs_own_protocol() -> None:
    kept, client = log(), Client([204])
    deliver = deliver_callback(kept, client, lambda status: {"id": status["jobId"]})
    assert deliver(CallbackMessage(JOB.job_id, THE_END, 1)) is CallbackOutcome.DELIVERED
    ((_, body, headers),) = client.got
    assert json.loads(body) == {"id": JOB.job_id}
    assert headers["webhook-signature"].startswith("v1,")


def test_the_body_is_the_status_and_the_try_is_written_down() -> None:
    kept, client = log(), Client([204])
    assert deliver(kept, client) is CallbackOutcome.DELIVERED
    ((url, body, headers),) = client.got
    assert url == URL
    assert json.loads(body)["status"] == "failed"
    assert headers["webhook-id"] == f"msg_{JOB.job_id}"
    (attempt,) = kept.tries
    assert (attempt.attempt, attempt.status_code, attempt.next_attempt_at) == (1, 204, None)


def test_what_was_delivered_is_not_sent_again_but_a_replay_is() -> None:
    kept, client = log(), Client([204])
    assert deliver(kept, client) is CallbackOutcome.DELIVERED
    assert deliver(kept, client, 2) is None
    assert deliver(kept, client, 1, "a-replay") is CallbackOutcome.DELIVERED
    assert len(client.got) == 2


def test_a_failed_try_says_when_the_next_is_due_and_the_last_that_there_is_none() -> None:
    kept, client = log(), Client([500])
    for attempt in range(1, ATTEMPTS + 1):
        deliver(kept, client, attempt)
    assert [each.outcome for each in kept.tries] == [
        *[CallbackOutcome.FAILED] * (ATTEMPTS - 1),
        CallbackOutcome.EXHAUSTED,
    ]
    first, *_, last = kept.tries
    assert first.next_attempt_at == first.at + timedelta(seconds=5)
    assert last.next_attempt_at is None


@pytest.mark.parametrize("kept", [log(url=None), log(JobStatus.PROCESSING), MemoryLog(None)])
def test_nobody_is_called_without_an_address_an_end_or_a_job(kept: MemoryLog) -> None:
    client = Client([204])
    assert deliver(kept, client) is None
    assert client.got == []


def test_a_replay_is_for_the_owner_of_an_ended_job_with_an_address() -> None:
    queue, owner = Queue(), Caller(named=JOB.user_id)
    asked = ReplayCallback(log(), queue)(JOB.job_id, "d", owner)
    assert asked == {"jobId": JOB.job_id, "deliveryId": "d"}
    assert queue.asked == [(JOB.job_id, "d")]
    for kept, who, refusal in (
        (log(), Caller(subject="stranger"), JobNotFound),
        (MemoryLog(None), owner, JobNotFound),
        (log(JobStatus.PROCESSING), owner, JobNotEnded),
        (log(url=None), owner, NoCallbackUrl),
    ):
        with pytest.raises(refusal):
            ReplayCallback(kept, queue)(JOB.job_id, "d", who)
    assert len(queue.asked) == 1


def test_the_log_is_the_owners_alone() -> None:
    kept = log()
    deliver(kept, Client([None]))
    list_callbacks = ListCallbacks(kept)
    (shown,) = list_callbacks(JOB.job_id, Caller(named=JOB.user_id))["attempts"]
    assert (shown["outcome"], shown["error"], shown["durationMs"]) == ("failed", "refused", 7)
    with pytest.raises(JobNotFound):
        list_callbacks(JOB.job_id, Caller(subject="stranger"))
    with pytest.raises(JobNotFound):
        list_callbacks("no-job-id", Caller())


def test_the_body_says_what_happened_and_to_whom() -> None:
    client = Client([204])
    deliver(log(), client)
    body = json.loads(client.got[0][1])
    assert (body["event"], body["userId"]) == ("ended", JOB.user_id)
    assert (body["prompt"], body["metadata"]) == ("a lighthouse", {})


class Running(MemoryJobRepository):
    """Until the end PostgreSQL knows a job as pending."""

    def status(self, _job_id: str) -> StatusDocument | None:
        asked = asked_document(JOB.parameters, {"order": "17"})
        return status_document(JOB, JobStatus.PENDING, JOB.created_at, asked=asked)


def test_a_start_is_told_with_an_id_of_its_own() -> None:
    kept, client = log(JobStatus.PENDING), Client([204])
    tell = replace(deliver_callback(kept, client), repository=Running())
    assert tell(CallbackMessage(JOB.job_id, THE_START, 1)) is CallbackOutcome.DELIVERED
    ((_, body, headers),) = client.got
    told = json.loads(body)
    assert (told["event"], told["status"]) == ("started", "processing")
    assert told["metadata"] == {"order": "17"}
    assert headers["webhook-id"] == f"msg_{JOB.job_id}_started"


def test_a_start_that_was_not_heard_before_the_end_is_not_told_any_more() -> None:
    client = Client([204])
    assert deliver(log(), client, 2, THE_START) is None
    assert client.got == []


@pytest.mark.parametrize(
    ("events", "asked"),
    [
        (("started",), [(JOB.job_id, THE_START)]),
        (("ended",), []),
        (("started", "ended"), [(JOB.job_id, THE_START)]),
    ],
)
def test_a_start_is_published_for_those_who_asked(
    events: tuple[str, ...], asked: list[tuple[str, str]]
) -> None:
    queue = Queue()
    wanted = tuple(map(CallbackEvent, events))
    PublishStart(queue)(replace(JOB, callback_url=URL, callback_events=wanted))
    PublishStart(queue)(replace(JOB, callback_events=wanted))  # nowhere to call
    assert queue.asked == asked


def test_while_sqs_is_away_a_start_is_not_told_and_the_job_goes_on() -> None:
    class Away(Queue):
        def enqueue(self, job_id: str, delivery_id: str = THE_END) -> None:
            raise StoreUnavailable("SQS did not answer.")

    started = replace(JOB, callback_url=URL, callback_events=(CallbackEvent.STARTED,))
    PublishStart(Away())(started)
