"""What must hold of requests, besides what holds of every job."""

import json
from collections.abc import Iterator

from tests.fault.harness.invariants import Finding, check_job, check_money, check_rest
from tests.fault.harness.requests import HOUR, USER, RequestWorld
from tests.fault.harness.run import Run
from tests.support.fakes import START
from vsl.domain.jobs.idempotency import CLAIM_SECONDS

# Of a client that is told nothing else: accepted, no money, being accepted, deleted, limited, try again.
STATUSES = {202, 402, 409, 410, 429, 503}
_FAILED = frozenset({"failed"})
_PROMPT = "a lighthouse"


def check_requests(world: RequestWorld) -> Iterator[Finding]:
    promised = {answer.job_id for answer in world.told}
    for run in world.runs.values():
        if run.job.job_id in world.deleted:
            yield from check_money(world, run, frozenset())
            yield from _nothing_left(world, run)
        else:
            # One that was written down, and never started nor promised, is ended at its deadline.
            forgotten = run.execution is None and run.job.job_id not in promised
            yield from check_job(world, run, _FAILED if forgotten else world.scenario.ends)
    yield from _keys(world)
    yield from _limits(world)
    yield from check_rest(world)


def _keys(world: RequestWorld) -> Iterator[Finding]:
    """(l) A key stands for one job from the first time that its client was told so."""
    odd = [answer for answer in world.told if answer.status not in STATUSES]
    if odd:
        yield Finding("f", f"a client was told {odd[0]}")
    for key in {answer.key for answer in world.told}:
        answers = [answer for answer in world.told if answer.key == key]
        jobs = {answer.job_id for answer in answers if answer.job_id}
        if len(jobs) > 1:
            yield Finding("l", f"{key} stands for several jobs: {jobs}")
        for job_id in jobs:
            if job_id not in world.runs or world.runs[job_id].execution is None:
                yield Finding("l", f"promised and never started: {job_id}")
        refused = [answer.at for answer in answers if answer.status in {402, 429}]
        for job_id in jobs & world.runs.keys():
            made = (world.runs[job_id].job.created_at - START).total_seconds()
            if any(made < at - CLAIM_SECONDS for at in refused):
                yield Finding("l", f"{key} was refused, and bound to {job_id} all the same")
        for job_id in jobs & world.deleted.keys():
            late = [it for it in answers if it.at > world.deleted[job_id] and it.status != 503]
            if any(answer.status != 410 for answer in late):
                yield Finding("l", f"{key} is answered after its job was deleted: {late}")


def _limits(world: RequestWorld) -> Iterator[Finding]:
    """(m) Nothing is started so late that its model has not all its time, and no more than the user may.

    Redis alone is atomic, and PostgreSQL alone knows a user's own limits: a run in which one of them
    was struck is let off the counts.
    """
    started = []
    for run in world.runs.values():
        if run.execution is not None:
            began = run.execution.started_at
            started.append((began, run.ended_at or run.deadline))
            late = began - (run.job.start_by - START).total_seconds()
            if late > CLAIM_SECONDS:
                yield Finding("m", f"started {late:.1f} s too late to have all its time")
    limits = world.scenario.limits
    if any(
        effect.store == "redis" or effect.operation == "user_limits"
        for effect, _ in world.effects.injected
    ):
        return
    for at, _ in started:
        hour = sum(at <= other < at + HOUR for other, _ in started)
        if limits.per_hour is not None and hour > limits.per_hour:
            yield Finding("m", f"{hour} jobs were started within an hour from {at} s")
        at_once = sum(other <= at < end for other, end in started)
        if limits.concurrent is not None and at_once > limits.concurrent:
            yield Finding("m", f"{at_once} jobs ran at {at} s")


def _nothing_left(world: RequestWorld, run: Run) -> Iterator[Finding]:
    """(n) In no store, not under the key either."""
    job_id = run.job.job_id
    if job_id in world.dynamodb.items:
        yield Finding("n", f"DynamoDB has {world.dynamodb.items[job_id]}")
    row = world.books.rows.get(job_id)
    if row is None or not row.deleted:
        yield Finding("n", "PostgreSQL has the job")
    objects = [key for key in world.s3.objects if job_id in key]
    if objects:
        yield Finding("n", f"S3 has {objects}")
    if world.cached(job_id):
        yield Finding("n", f"Redis has {world.cached(job_id)}")
    kept = json.dumps(list(world.keys.items.values()))
    if _PROMPT in kept or USER in kept:
        yield Finding("n", f"kept under a key: {kept}")
