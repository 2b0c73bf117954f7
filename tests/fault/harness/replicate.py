"""Replicate in memory and in virtual time: it accepts, runs, calls back, lists and never forgets.

Facts: https://replicate.com/docs/topics/webhooks (a `start` webhook is sent once; a `completed` one
is tried again, with growing pauses, for about a minute) and https://replicate.com/docs/reference/http
(Cancel-After, lists newest first). Output files live for an hour.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from tests.fault.harness.effects import Effects
from tests.fault.harness.virtual_time import Event, Scheduler
from tests.support.fakes import START
from vsl.adapters.http.download import Download, Downloads
from vsl.domain.errors import (
    DownloadFailed,
    OutputExpired,
    ProviderThrottled,
    ProviderUnavailable,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.jobs.job import iso
from vsl.domain.jobs.webhook_url import parse_webhook_url
from vsl.domain.predictions.prediction import Prediction, PredictionStatus
from vsl.domain.predictions.signature import sign

WEBHOOK_SECRET = "whsec_" + "bm90IHRvIGJlIGxvZ2dlZA=="
PAGE = 100
RETRY_OFFSETS = (0.0, 2.0, 6.0, 14.0, 30.0, 60.0)
OUTPUT_LIFE = 3600.0

# The HTTP status that a webhook was answered with.
Deliver = Callable[[dict[str, Any], Callable[[int], None]], None]


@dataclass(frozen=True, slots=True)
class Script:
    """How predictions go, in virtual seconds; `errors` by attempt.

    `visible_after` is how long the list and `get` lag behind an accepted prediction, `list_away`
    until when the list cannot be read; `forgets_cancel_after` breaks the provider's own promise.
    Of `lost` attempts nothing arrives, and nobody is told. The first so many submissions are refused by
    `throttled`, for so many seconds. `start_webhook_at` and `end_webhook_at`
    hold the webhooks back until then; each is sent in so many `copies`.

    The list tells webhooks only if `lists_webhooks`. `strangers` are predictions of another program of
    the same account, which asks the same of the same model: one every `stranger_every` seconds.
    `writes`: the output is a text in parts, too long for an item.
    """

    starts_after: float = 0.2
    runs_for: float = 4.0
    outputs: int = 1
    errors: Mapping[int, str] = field(default_factory=dict)
    start_webhooks: bool = True
    end_webhooks: bool = True
    webhook_seconds: float = 0.1
    visible_after: float = 0.0
    list_away: float = 0.0
    forgets_cancel_after: bool = False
    lost: frozenset[int] = frozenset()
    throttled: tuple[float, ...] = ()
    start_webhook_at: float | None = None
    end_webhook_at: float | None = None
    copies: int = 1
    lists_webhooks: bool = False
    strangers: int = 4
    stranger_every: float = 0.5
    twin_ends_at: float | None = None
    writes: bool = False


@dataclass
class Entry:
    """One prediction in the provider's own books."""

    prediction: Prediction
    accepted_at: float
    cancel_after: int
    timers: list[Event] = field(default_factory=list)
    ended_at: float | None = None


class Replicate:
    """The provider's side; `deliver` posts a webhook and tells the answer's status."""

    def __init__(self, scheduler: Scheduler, script: Script, deliver: Deliver) -> None:
        self.scheduler = scheduler
        self.script = script
        self.books: dict[str, Entry] = {}
        self.refused = 0
        self.messages = 0
        self._deliver = deliver
        self._strangers = {
            prediction.id: prediction
            for prediction in (_stranger(script, n) for n in range(script.strangers))
        }

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        key = parse_webhook_url(webhook)
        if key and key.attempt in self.script.lost:
            raise SubmissionUncertain("The provider's answer was lost (ReadTimeout).")
        if self.refused < len(self.script.throttled):
            self.refused += 1
            seconds = self.script.throttled[self.refused - 1]
            raise ProviderThrottled("Request was throttled.", retryAfter=seconds)
        prediction = Prediction(
            id=f"prediction{len(self.books) + 1:016d}",
            status=PredictionStatus.STARTING,
            webhook=webhook,
            created_at=self.scheduler.moment(),
            **_told(reference),
            input=dict(provider_input),
        )
        entry = Entry(prediction, self.scheduler.now, cancel_after)
        self.books[prediction.id] = entry
        later, script = self.scheduler.after, self.script
        entry.timers = [
            later(script.starts_after, lambda: self._start(entry)),
            later(script.starts_after + script.runs_for, lambda: self.finish(entry)),
        ]
        if not script.forgets_cancel_after:
            entry.timers.append(later(cancel_after, lambda: self._end(entry, self._stopped(entry))))
        if script.twin_ends_at is not None and len(self.books) == 1:
            self._double(entry, script.twin_ends_at)
        return prediction

    def _double(self, entry: Entry, ends_at: float) -> None:
        running = replace(
            entry.prediction,
            id=f"prediction{len(self.books) + 1:016d}",
            status=PredictionStatus.PROCESSING,
        )
        twin = Entry(running, self.scheduler.now, entry.cancel_after)
        self.books[running.id] = twin
        twin.timers = [self.scheduler.at(ends_at, lambda: self.finish(twin))]

    def get(self, replicate_id: str) -> Prediction | None:
        return self._visible().get(replicate_id)

    def page(
        self, after: datetime, before: datetime | None, seen: str | None
    ) -> tuple[list[Prediction], bool]:
        """What follows after the prediction `seen`, newest first, and whether more follows."""
        if self.scheduler.now < self.script.list_away:
            raise ProviderUnavailable("The provider's list cannot be read.")
        newest_first = sorted(self._visible().values(), key=_place, reverse=True)
        last = next((_place(it) for it in newest_first if it.id == seen), None)
        found = [
            it if self.script.lists_webhooks else replace(it, webhook=None)
            for it in newest_first
            if it.created_at is not None
            and it.created_at > after
            and (before is None or it.created_at < before)
            and (last is None or _place(it) < last)
        ]
        return found[:PAGE], len(found) > PAGE

    def cancel(self, replicate_id: str) -> Prediction | None:
        entry = self.books.get(replicate_id)
        if entry is None:
            return None
        if not entry.prediction.status.terminal:
            self._end(entry, PredictionStatus.CANCELED)
        return entry.prediction

    def content(self, url: str) -> bytes:
        """An output file. Raises OutputExpired an hour after the end of its prediction."""
        replicate_id, name = url.removeprefix("https://replicate.delivery/").split("/")
        entry = self.books[replicate_id]
        if entry.ended_at is None or self.scheduler.now - entry.ended_at > OUTPUT_LIFE:
            raise OutputExpired("The provider has already deleted the output.")
        return picture(int(replicate_id.removeprefix("prediction")), int(name[4]))

    def made_for(self, job_id: str) -> dict[str, Prediction]:
        """All predictions whose webhooks name the job."""
        return {
            name: entry.prediction
            for name, entry in self.books.items()
            if (key := parse_webhook_url(entry.prediction.webhook)) and key.job_id == job_id
        }

    def with_status(self, *statuses: PredictionStatus) -> list[str]:
        return [name for name, entry in self.books.items() if entry.prediction.status in statuses]

    def _visible(self) -> dict[str, Prediction]:
        """What the list and `get` know of by now."""
        now, lag = self.scheduler.now, self.script.visible_after
        strangers = {
            name: prediction
            for name, prediction in self._strangers.items()
            if prediction.created_at is not None
            and prediction.created_at <= self.scheduler.moment()
        }
        return strangers | {
            name: entry.prediction
            for name, entry in self.books.items()
            if now - entry.accepted_at >= lag
        }

    def _stopped(self, entry: Entry) -> PredictionStatus:
        started = entry.prediction.status is not PredictionStatus.STARTING
        return PredictionStatus.CANCELED if started else PredictionStatus.ABORTED

    def _start(self, entry: Entry) -> None:
        entry.prediction = replace(
            entry.prediction,
            status=PredictionStatus.PROCESSING,
            started_at=self.scheduler.moment(),
            logs="booted\n  0%|",
        )
        if self.script.start_webhooks:
            self._send(entry, "start", 0)

    def finish(self, entry: Entry) -> None:
        key = parse_webhook_url(entry.prediction.webhook)
        error = self.script.errors.get(key.attempt if key else 0)
        self._end(entry, PredictionStatus.FAILED if error else PredictionStatus.SUCCEEDED, error)

    def _end(self, entry: Entry, status: PredictionStatus, error: str | None = None) -> None:
        for timer in entry.timers:
            timer.canceled = True
        entry.ended_at = self.scheduler.now
        succeeded = status is PredictionStatus.SUCCEEDED
        host = f"https://replicate.delivery/{entry.prediction.id}"
        ran = self.scheduler.now - entry.accepted_at
        entry.prediction = replace(
            entry.prediction,
            status=status,
            error=error,
            output=self._output(host) if succeeded else None,
            logs=f"{entry.prediction.logs}\r100%|ran {ran:g} s\n",
            metrics={"predict_time": ran, "total_time": ran},
            completed_at=self.scheduler.moment(),
        )
        if self.script.end_webhooks:
            self._send(entry, "completed", 0)

    def _output(self, host: str) -> list[str]:
        if self.script.writes:
            return [f"{host} wrote this. "] * 500
        return [f"{host}/out-{n}.png" for n in range(self.script.outputs)]

    def _send(self, entry: Entry, event: str, attempt: int) -> None:
        self.messages += 1
        prediction, script = entry.prediction, self.script
        message_id = f"msg_{prediction.id}_{event}"
        body = json.dumps(
            {
                "id": prediction.id,
                "status": prediction.status.value,
                "output": prediction.output,
                "error": prediction.error,
                "metrics": dict(prediction.metrics),
                "logs": prediction.logs,
                "webhook": prediction.webhook,
                "created_at": prediction.created_at and iso(prediction.created_at),
                "completed_at": prediction.completed_at and iso(prediction.completed_at),
            }
        )
        assert prediction.webhook is not None
        query = dict(part.split("=") for part in prediction.webhook.partition("?")[2].split("&"))
        posted_at = script.end_webhook_at if event == "completed" else script.start_webhook_at

        def post() -> None:
            at = str(int(self.scheduler.moment().timestamp()))
            signature = sign(WEBHOOK_SECRET, message_id, at, body.encode())
            self._deliver(
                {
                    "headers": {
                        "Webhook-Id": message_id,
                        "Webhook-Timestamp": at,
                        "Webhook-Signature": f"v1,{signature}",
                    },
                    "queryStringParameters": query,
                    "body": body,
                    "isBase64Encoded": False,
                },
                answered,
            )

        def answered(status: int) -> None:
            following = attempt + 1
            if 200 <= status < 300 or event == "start" or following >= len(RETRY_OFFSETS):
                return
            ended = entry.ended_at or self.scheduler.now
            self.scheduler.at(
                ended + RETRY_OFFSETS[following], lambda: self._send_again(entry, event, following)
            )

        if attempt or posted_at is None:
            posted_at = self.scheduler.now + script.webhook_seconds
        for _ in range(script.copies):
            self.scheduler.at(posted_at, post)

    def _send_again(self, entry: Entry, event: str, attempt: int) -> None:
        self._send(entry, event, attempt)


def _told(reference: str) -> dict[str, Any]:
    """What a prediction tells of its model; that of a deployment names whatever runs there."""
    if reference.startswith("deployments/"):
        deployment = reference.removeprefix("deployments/")
        return {"model": "acme/of-the-day", "version": f"dp-{'0' * 32}", "deployment": deployment}
    model, _, version = reference.partition(":")
    return {"model": model, "version": version or "hidden"}


def _place(prediction: Prediction) -> tuple[datetime, str]:
    assert prediction.created_at is not None
    return prediction.created_at, prediction.id


def _stranger(script: Script, number: int) -> Prediction:
    return Prediction(
        id=f"stranger{number:018d}",
        status=PredictionStatus.PROCESSING,
        webhook=f"https://another.example/hook?n={number}",
        created_at=START + timedelta(seconds=number * script.stranger_every),
        model="black-forest-labs/flux-schnell",
        version="hidden",
        input={"prompt": "a lighthouse"},
    )


class ReplicateClient:
    """`services.ports.Provider`, every call an effect."""

    def __init__(self, effects: Effects, replicate: Replicate) -> None:
        self._effects = effects
        self._replicate = replicate

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        def failure(after: bool) -> VslError:
            if after:
                return SubmissionUncertain("The provider's answer was lost (ReadTimeout).")
            return ProviderThrottled("The provider is busy.", retryAfter=1)

        return self._effects.run(
            "replicate",
            "create",
            lambda: self._replicate.create(reference, provider_input, webhook, cancel_after),
            failure,
        )

    def get(self, replicate_id: str) -> Prediction | None:
        return self._read("get", lambda: self._replicate.get(replicate_id))

    def list_since(
        self, created_after: datetime, created_before: datetime | None = None
    ) -> Iterator[Prediction]:
        seen, more = None, True
        while more:
            found, more = self._page(created_after, created_before, seen)
            yield from found
            seen = found[-1].id if found else None

    def _page(
        self, after: datetime, before: datetime | None, seen: str | None
    ) -> tuple[list[Prediction], bool]:
        return self._read("list_since", lambda: self._replicate.page(after, before, seen))

    def cancel(self, replicate_id: str) -> Prediction | None:
        return self._read("cancel", lambda: self._replicate.cancel(replicate_id))

    def webhook_secret(self) -> str:
        return WEBHOOK_SECRET

    def _read[Answer](self, operation: str, act: Callable[[], Answer]) -> Answer:
        return self._effects.run(
            "replicate",
            operation,
            act,
            lambda _after: ProviderUnavailable("The provider could not be reached."),
        )


class Files:
    """`adapters.download.Downloads`: each file one effect; an error after it breaks it off."""

    def __init__(self, effects: Effects, replicate: Replicate) -> None:
        self._effects = effects
        self._replicate = replicate

    @contextmanager
    def open(self, url: str) -> Iterator[Download]:
        if url.startswith("data:"):
            with Downloads([], max_bytes=10**8).open(url) as download:
                yield download
            return
        broken: list[VslError] = []

        def failure(after: bool) -> VslError:
            error = DownloadFailed("The download broke off.")
            if after:
                broken.append(error)
            return error

        try:
            body = self._effects.run(
                "replicate", "download", lambda: self._replicate.content(url), failure
            )
        except DownloadFailed:
            if not broken:
                raise
            body = self._replicate.content(url)

        def chunks() -> Iterator[bytes]:
            half = len(body) // 2
            yield body[:half]
            if broken:
                raise broken[0]
            yield body[half:]

        yield Download(url.rpartition("/")[2], "image/png", len(body), chunks())


@cache
def picture(prediction: int, index: int) -> bytes:
    """A small PNG, another one for every prediction and output."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 3), (prediction % 256, index, 77)).save(stream, "PNG")
    return stream.getvalue()
