"""What must hold at the end of every run, whatever went wrong on the way."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.fault.harness import handlers
from tests.fault.harness.replicate import WEBHOOK_SECRET
from tests.fault.harness.world import POLL_SECONDS, SIGNED, World
from tests.support.jobs import catalogue
from vsl.domain.job import JobStatus
from vsl.domain.prediction import Outcome, Prediction, PredictionStatus
from vsl.domain.pricing import actual_cost

if TYPE_CHECKING:
    from vsl.domain.status import StatusDocument

# What ending a job takes once somebody acts: a few steps and the pauses of their retries.
ENDING_SECONDS = 60.0
POLLER = {"poll_predictions", "nobody"}
_RUNNING = (PredictionStatus.STARTING, PredictionStatus.PROCESSING)
_SECRETS = ("task-token-", WEBHOOK_SECRET.removeprefix("whsec_"), SIGNED)


INVARIANTS = {
    "a": "one prediction at most is kept; none runs, every other is booked with what it cost",
    "b": "terminal exactly once, the same in PostgreSQL, DynamoDB and the status answer",
    "c": "every object of a succeeded job is there, in its recorded size and hash",
    "d": "nothing waits past its deadline plus one poll",
    "e": "no token, secret or signed address in any log line",
    "f": "no error that nobody foresaw",
    "g": "a job that has ended has left the poller's index",
    "h": "the job ends as its scenario allows",
    "i": "a job that has ended holds no place among its user's, unless Redis or the check was struck",
    "j": "the end is announced at least once, as it stands written, and not before",
}


class Finding(NamedTuple):
    """One violation: the invariant's letter and what was seen."""

    invariant: str
    seen: str

    def __str__(self) -> str:
        return f"({self.invariant}) {self.seen}"


def check(world: World) -> Iterator[Finding]:
    """Every violation of this run. Asks the product for the status, which changes nothing."""
    item = world.live.get(world.job.job_id)
    if item is None:
        yield Finding("b", "the job has no live item")
        return
    yield from _money(world, item.replicate_id)
    yield from _one_end(world)
    if item.status is JobStatus.SUCCEEDED:
        yield from _objects(world)
    yield from _time(world)
    yield from _announced(world, item.status.value)
    yield from _secrets(world)
    if world.surprises:
        yield Finding("f", f"an error nobody foresaw: {world.surprises[0]}")
    if world.live.due(world.scheduler.moment().replace(year=2100), 10):
        yield Finding("g", "the poller still looks at the job")
    excused = any(
        effect.store == "redis" or effect.actor == "check_rate_limit"
        for effect, _ in world.effects.injected
    ) or ("redis" in world.scenario.outages)
    if world.limits_held() and not excused:
        yield Finding("i", f"still counted as running: {world.limits_held()}")
    if item.status.value not in world.scenario.ends:
        code = item.result and item.result["error"]
        yield Finding("h", f"the job ended as {item.status.value} ({code})")


def _money(world: World, replicate_id: str | None) -> Iterator[Finding]:
    """(a) Every prediction is the job's own, interrupted and free, or stopped and in the books."""
    running = world.replicate.with_status(*_RUNNING)
    if running:
        yield Finding("a", f"still running at the end: {running}")
    item = world.live.get(world.job.job_id)
    assert item is not None
    booked = {name: waste for name, (_, waste) in world.books.waste.items()}
    for name, entry in world.replicate.books.items():
        if name == replicate_id:
            continue
        if name in item.past:
            if entry.prediction.status is not PredictionStatus.FAILED:
                yield Finding("a", f"given up although it is charged for: {name}")
        elif name not in booked:
            yield Finding("a", f"of no use and not booked: {name}")
        elif booked[name].cost != _cost(world, entry.prediction):
            yield Finding("a", f"booked with a cost that it does not have: {booked[name]}")
    if replicate_id in booked:
        yield Finding("a", "the job's own prediction is booked as waste")


def _cost(world: World, prediction: Prediction) -> Decimal | None:
    model = catalogue().find(world.job.model_id)
    return actual_cost(model, world.job.parameters, Outcome.of(prediction, "provider"))


def _one_end(world: World) -> Iterator[Finding]:
    """(b) Terminal, once, and the same everywhere."""
    ends = [state for state in world.statuses if JobStatus(state[0]).terminal]
    if len(ends) != 1 or world.statuses[-1] != ends[0]:
        yield Finding("b", f"not terminal exactly once: {[status for status, _ in world.statuses]}")
        return
    live: StatusDocument = json.loads(ends[0][1] or "null")
    kept = world.books.status(world.job.job_id)
    if kept != live:
        yield Finding("b", f"PostgreSQL and DynamoDB differ: {kept} / {live}")
        return
    answer = _status(world)
    if (answer["status"], answer["errorCode"]) != (
        live["status"],
        live["error"] and live["error"]["code"],
    ):
        yield Finding("b", f"the status answer differs: {answer} / {live}")
    if answer["completedAt"] != live["completedAt"]:
        yield Finding("b", "the status answer has another end")
    succeeded = world.execution.status == "SUCCEEDED"
    if succeeded and live["status"] != "succeeded":
        yield Finding("b", f"the execution succeeded, the job is {live['status']}")
    if world.execution.status == "RUNNING":
        yield Finding("b", "the execution still runs")


def _status(world: World) -> dict[str, Any]:
    path = {"pathParameters": {"jobId": world.job.job_id}}
    context = type("Context", (), {"aws_request_id": "end"})()
    body = handlers.handler("get_status")(path, context)["body"]
    answer: dict[str, Any] = json.loads(body)
    return answer


def _objects(world: World) -> Iterator[Finding]:
    """(c) Every object of a succeeded job is there, in its recorded size and hash."""
    document = world.books.status(world.job.job_id)
    assert document is not None
    if len(document["assets"]) != world.scenario.script.outputs:
        yield Finding("c", f"{len(document['assets'])} assets")
    for asset in document["assets"]:
        if not world.s3.holds(asset["s3Key"], asset["fileSize"], asset["sha256"]):
            yield Finding("c", f"{asset['s3Key']} is not what was recorded")
        if asset["thumbnailKey"] and asset["thumbnailKey"] not in world.s3.objects:
            yield Finding("c", f"{asset['thumbnailKey']} is missing")


def _time(world: World) -> Iterator[Finding]:
    """(d) Nothing waits past its deadline plus one poll, and no wait runs into its state's limit.

    A poll that was made to fail does not count.
    """
    polls = 1 + sum(effect.actor in POLLER for effect, _ in world.effects.injected)
    limit = world.deadline + polls * POLL_SECONDS + ENDING_SECONDS + world.effects.delays
    if not world.scenario.may_time_out:
        if world.ended_at is None or world.ended_at > limit:
            yield Finding("d", f"ended after {world.ended_at} s, the limit is {limit} s")
        if ("AwaitPrediction", "States.Timeout") in world.execution.caught:
            yield Finding("d", "the wait ran into the state's time limit")


def _announced(world: World, status: str) -> Iterator[Finding]:
    """(j) Told to the queue and to the bus at least once, never before it was durable."""
    told = world.announced
    if told.too_early:
        yield Finding("j", f"announced to {told.too_early} before the end was written")
    if not told.messages or not told.events:
        yield Finding("j", f"announced {len(told.messages)} and {len(told.events)} times")
    if any(json.loads(message) != {"jobId": world.job.job_id} for message in told.messages):
        yield Finding("j", f"a message says something else: {told.messages}")
    kept = world.books.status(world.job.job_id)
    expected = {name: value for name, value in (kept or {}).items() if name != "logs"}
    for event in told.events:
        if event["DetailType"] != f"Job {status.capitalize()}":
            yield Finding("j", f"a job that {status} was announced as {event['DetailType']}")
        if json.loads(event["Detail"]) != expected:
            yield Finding("j", f"the event differs from the end: {event} / {expected}")
    if (
        not world.effects.injected
        and len(told.messages) + len(told.events) != 2
        and not (world.scenario.doubled or world.scenario.stop_at)
    ):
        yield Finding(
            "j", f"announced {len(told.messages)} and {len(told.events)} times, without need"
        )


def _secrets(world: World) -> Iterator[Finding]:
    """(e) No task token, webhook secret or signed address in any line of any log."""
    for line in world.log:
        for secret in _SECRETS:
            if secret in line:
                yield Finding("e", f"{secret!r} in a log line: {line[:300]}")
                return
