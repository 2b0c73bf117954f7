"""What must hold at the end of every run, whatever went wrong on the way."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from tests.fault.harness import handlers
from tests.fault.harness.catalogue import catalogue
from tests.fault.harness.replicate import WEBHOOK_SECRET
from tests.fault.harness.run import Run
from tests.fault.harness.world import POLL_SECONDS, SIGNED, World
from tests.support.money_books import MoneyBooks
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import AskedDocument, StatusDocument
from vsl.domain.money.amounts import micro_dollars, plain
from vsl.domain.money.budgets import owner_of
from vsl.domain.money.pricing import actual_cost
from vsl.domain.predictions.output import OutputKind
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus

# What ending a job takes once somebody acts: a few steps and the pauses of their retries.
ENDING_SECONDS = 60.0
POLLER = {"poll_predictions", "nobody"}
# What the client wrote is in PostgreSQL alone.
_ASKED = set(AskedDocument.__annotations__)
_RUNNING = (PredictionStatus.STARTING, PredictionStatus.PROCESSING)
_SECRETS = ("task-token-", WEBHOOK_SECRET.removeprefix("whsec_"), SIGNED)


INVARIANTS = {
    "a": "one prediction at most is kept; none runs, and of every one the books know what it cost",
    "b": "terminal exactly once, the same in PostgreSQL, DynamoDB and the status answer",
    "c": "every object of a succeeded job is there, in its recorded size and hash",
    "d": "nothing waits past its deadline plus one poll",
    "e": "no token, secret or signed address in any log line",
    "f": "no error that nobody foresaw",
    "g": "a job that has ended has left the poller's index",
    "h": "the job ends as its scenario allows",
    "i": "a job that has ended holds no place among its user's, unless Redis or the check was struck",
    "j": "the end is announced at least once, as it stands written, and not before",
    "l": "a key stands for one job, promised is started, a refusal binds none; 410 once it is deleted",
    "m": "no more jobs are started in an hour, or run at once, than the user may; none too late",
    "n": "nothing is left anywhere of a job that is deleted, and nothing personal is kept under a key",
    "o": "the ledger, the budgets and the holds agree; nothing is held any more; what users and stage"
    " paid is what the provider charged",
    "k": "an answer of DynamoDB that was lost costs no more than its repetition (of single faults)",
}


class Finding(NamedTuple):
    """One violation: the invariant's letter and what was seen."""

    invariant: str
    seen: str

    def __str__(self) -> str:
        return f"({self.invariant}) {self.seen}"


def check(world: World) -> Iterator[Finding]:
    """Every violation of this run. Asks the product for the status, which changes nothing."""
    for run in world.runs.values():
        ends = world.scenario.ends if run is world.main else frozenset({"succeeded"})
        yield from check_job(world, run, ends)
    yield from check_rest(world)


def check_rest(world: World) -> Iterator[Finding]:
    """What is no single job's."""
    running = world.replicate.with_status(*_RUNNING)
    if running:
        yield Finding("a", f"still running at the end: {running}")
    made = {
        name for run in world.runs.values() for name in world.replicate.made_for(run.job.job_id)
    }
    if unknown := world.replicate.books.keys() - made:
        yield Finding("a", f"of no job: {unknown}")
    yield from _ledger(world)
    yield from _secrets(world)
    if world.surprises:
        yield Finding("f", f"an error nobody foresaw: {world.surprises[0]}")
    if world.tracking.due(world.scheduler.moment().replace(year=2100), 10):
        yield Finding("g", "the poller still looks at the job")
    excused = any(
        effect.store == "redis" or effect.actor == "check_rate_limit"
        for effect, _ in world.effects.injected
    ) or ("redis" in world.scenario.outages)
    if world.limits_held() and not excused:
        yield Finding("i", f"still counted as running: {world.limits_held()}")


def _ledger(world: World) -> Iterator[Finding]:
    """(o) To the micro-dollar."""
    books = MoneyBooks.of_memory(world.books.money)
    for seen in books.faults():
        yield Finding("o", seen)
    if open_holds := [job_id for job_id, hold in books.holds.items() if not hold.settled]:
        yield Finding("o", f"held for jobs that have ended: {open_holds}")
    if assumed := [job_id for job_id, hold in books.holds.items() if hold.assumed]:
        yield Finding("o", f"assumed, although the provider knows the cost: {assumed}")
    charged = sum(
        micro_dollars(_cost(run, prediction) or Decimal(0))
        for run in world.runs.values()
        for prediction in world.replicate.made_for(run.job.job_id).values()
    )
    written = books.balances().get("provider", 0)
    if charged != written:
        yield Finding("o", f"the provider charged {charged}, the ledger says {written}")
    row = books.budgets.get(owner_of(world.job.user_id))
    if row is not None and row.spent > world.budget:
        yield Finding("o", f"the budget of {world.budget} is overshot: {row.spent}")


def check_job(world: World, run: Run, ends: frozenset[str]) -> Iterator[Finding]:
    item = world.tracking.get(run.job.job_id)
    if item is None:
        yield Finding("b", f"the job {run.job.job_id} has no tracking item")
        return
    yield from check_money(world, run, item.abandoned_ids)
    yield from _one_end(world, run)
    if item.status is JobStatus.SUCCEEDED:
        yield from _objects(world, run)
    yield from _time(world, run)
    yield from _announced(world, run, item.status.value)
    if item.status.value not in ends:
        code = item.result and item.result["error"]
        yield Finding("h", f"the job ended as {item.status.value} ({code})")


def check_money(world: World, run: Run, abandoned_ids: frozenset[str]) -> Iterator[Finding]:
    """(a) Every prediction of the job is its own, interrupted and free, or stopped, and whatever it is,
    PostgreSQL knows what it cost."""
    job_id = run.job.job_id
    row = world.books.rows.get(job_id)
    if row is None or row.end is None:
        yield Finding("a", "the job has no end in the books")
        return
    own = row.end.replicate_id
    for name, prediction in world.replicate.made_for(job_id).items():
        cost = _cost(run, prediction)
        if name != own:
            yield from _unused(world, name, prediction, cost, abandoned=name in abandoned_ids)
        elif row.end.actual_cost != cost:
            seen = row.end.actual_cost
            yield Finding("a", f"the job's own prediction cost {cost}, the books say {seen}")
    if own in world.books.orphans:
        yield Finding("a", "the job's own prediction is recorded as orphaned")
    if own is None and row.end.actual_cost != 0:
        yield Finding("a", f"charged without a prediction: {row.end.actual_cost}")


def _unused(
    world: World, name: str, prediction: Prediction, cost: Decimal | None, *, abandoned: bool
) -> Iterator[Finding]:
    if abandoned:
        if prediction.status is not PredictionStatus.FAILED:
            yield Finding("a", f"abandoned although it is charged for: {name}")
        return
    _, booked = world.books.orphans.get(name, (None, None))
    if booked is None:
        yield Finding("a", f"of no use and not booked: {name}")
    elif booked.cost != cost:
        yield Finding("a", f"booked with a cost that it does not have: {booked} / {cost}")


def _cost(run: Run, prediction: Prediction) -> Decimal | None:
    model = catalogue().find(run.job.model_id)
    return actual_cost(
        model, run.job.parameters, Outcome.of(prediction, "provider", OutputKind.of(model.output))
    )


def _without_cost(document: Any) -> Any:
    """What an end is by then: its cost may be learnt later."""
    return document and {name: value for name, value in document.items() if name != "actualCost"}


def _one_end(world: World, run: Run) -> Iterator[Finding]:
    """(b) Terminal, once, and the same everywhere."""
    statuses = [status for status, _ in run.statuses]
    ends = [state for state in run.statuses if JobStatus(state[0]).terminal]
    told = [_without_cost(json.loads(text or "null")) for _, text in ends]
    if not ends or run.statuses[-len(ends) :] != ends or any(it != told[0] for it in told):
        yield Finding("b", f"not terminal exactly once: {statuses}")
        return
    if len({json.loads(text or "{}").get("actualCost") for _, text in ends}) < len(ends):
        yield Finding("b", f"its end was changed without need: {ends}")
    tracking: StatusDocument = json.loads(ends[-1][1] or "null")
    kept = world.books.status(run.job.job_id)
    if kept is None or {k: v for k, v in kept.items() if k not in _ASKED} != tracking:
        yield Finding("b", f"PostgreSQL and DynamoDB differ: {kept} / {tracking}")
        return
    answer = _status(run)
    if (answer["status"], answer["errorCode"]) != (
        tracking["status"],
        tracking["error"] and tracking["error"]["code"],
    ):
        yield Finding("b", f"the status answer differs: {answer} / {tracking}")
    if answer["completedAt"] != tracking["completedAt"]:
        yield Finding("b", "the status answer has another end")
    charged = tracking["actualCost"] and str(plain(Decimal(tracking["actualCost"])))
    if answer["actualCost"] != charged:
        yield Finding(
            "b", f"the status answer has another cost: {answer['actualCost']} / {charged}"
        )
    succeeded = run.execution is not None and run.execution.status == "SUCCEEDED"
    if succeeded and tracking["status"] != "succeeded":
        yield Finding("b", f"the execution succeeded, the job is {tracking['status']}")
    if run.at_work:
        yield Finding("b", "the execution still runs")


def _status(run: Run) -> dict[str, Any]:
    path = {"pathParameters": {"jobId": run.job.job_id}}
    context = type("Context", (), {"aws_request_id": "end"})()
    body = handlers.handler("get_status")(path, context)["body"]
    answer: dict[str, Any] = json.loads(body)
    return answer


def _objects(world: World, run: Run) -> Iterator[Finding]:
    """(c) Every object of a succeeded job is there, in its recorded size and hash."""
    document = world.books.status(run.job.job_id)
    assert document is not None
    if len(document["assets"]) != world.scenario.script.outputs:
        yield Finding("c", f"{len(document['assets'])} assets")
    for asset in document["assets"]:
        if not world.s3.holds(asset["s3Key"], asset["fileSize"], asset["sha256"]):
            yield Finding("c", f"{asset['s3Key']} is not what was recorded")
        if asset["thumbnailKey"] and asset["thumbnailKey"] not in world.s3.objects:
            yield Finding("c", f"{asset['thumbnailKey']} is missing")


def _time(world: World, run: Run) -> Iterator[Finding]:
    """(d) Nothing waits past its deadline plus one poll, and no wait runs into its state's limit.

    A poll that was made to fail does not count.
    """
    polls = 1 + sum(effect.actor in POLLER for effect, _ in world.effects.injected)
    limit = run.deadline + polls * POLL_SECONDS + ENDING_SECONDS + world.effects.delays
    if not world.scenario.may_time_out:
        in_time = run.ended_at is not None and (run.ended_at <= limit or world.scenario.late)
        if not in_time:
            yield Finding("d", f"ended after {run.ended_at} s, the limit is {limit} s")
        if ("AwaitPrediction", "States.Timeout") in run.caught():
            yield Finding("d", "the wait ran into the state's time limit")


def _announced(world: World, run: Run, status: str) -> Iterator[Finding]:
    """(j) Told to the queue and to the bus at least once, never before it was durable."""
    job_id, told = run.job.job_id, world.published
    early = [service for it, service in told.too_early if it == job_id]
    messages = [message for it, message in told.messages if it == job_id]
    events = [event for it, event in told.events if it == job_id]
    if early:
        yield Finding("j", f"announced to {early} before the end was written")
    if not messages or not events:
        yield Finding("j", f"announced {len(messages)} and {len(events)} times")
    if any(json.loads(message) != {"jobId": job_id} for message in messages):
        yield Finding("j", f"a message says something else: {messages}")
    kept: Any = world.books.status(job_id) or {}
    expected = {name: value for name, value in kept.items() if name not in _ASKED | {"logs"}}
    for event in events:
        if event["DetailType"] != f"Job {status.capitalize()}":
            yield Finding("j", f"a job that {status} was announced as {event['DetailType']}")
        detail = json.loads(event["Detail"])
        if _without_cost(detail) != _without_cost(expected) or (
            detail["actualCost"] not in {None, expected["actualCost"]}
        ):
            yield Finding("j", f"the event differs from the end: {event} / {expected}")
    if (
        not world.effects.injected
        and len(messages) + len(events) != 2
        and not (world.scenario.doubled or world.scenario.stop_at)
    ):
        yield Finding("j", f"announced {len(messages)} and {len(events)} times, without need")


def _secrets(world: World) -> Iterator[Finding]:
    """(e) No task token, webhook secret or signed address in any line of any log."""
    for line in world.log:
        for secret in _SECRETS:
            if secret in line:
                yield Finding("e", f"{secret!r} in a log line: {line[:300]}")
                return
