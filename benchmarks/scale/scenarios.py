"""The steps of an image job against the quotas, at 10, 100 and 1,000 jobs a second."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from benchmarks.scale.cost import reading
from benchmarks.scale.load import Call, facts, job_seconds, parameter, work
from benchmarks.scale.quotas import TICK, Bucket, Course, Slots, Step, simulate
from cli.release.preflight import configured
from cli.release.reserves import reserved, reserves
from vsl.adapters.dynamodb.tracking_item import SHARDS
from vsl.adapters.redis.slots import BURST_SHARE

RATES = (10, 100, 1000)
SECONDS = 300
BURSTS = (2000, 5000)
# Quotas that each function has for itself.
_OF_ONE_FUNCTION = ("environments", "reserve", "reserveStoreMedia")


@dataclass(frozen=True, slots=True)
class Need:
    """What a rate of jobs asks of a quota: both in tokens a second, or in executions at once."""

    quota: str
    label: str
    wanted: float
    limit: float

    @property
    def load(self) -> float:
        return self.wanted / self.limit


def limits(raised: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    """The quotas of an account as AWS gives it, with the template's own throttle of the API."""
    found = {name: dict(quota) for name, quota in facts()["quotas"].items()}
    throttle = {"burst": parameter("ApiBurstLimit"), "perSecond": parameter("ApiRateLimit")}
    # The usage plan counts what carries the key; the stage's setting counts each method by itself.
    found["api"] = throttle | {"label": "`ApiRateLimit`, requests with the API key"}
    found["webhookMethod"] = throttle | {"label": "`ApiRateLimit`, webhooks"}
    # A function has no more executions than it reserves; the others share what is left.
    for name, label, kept in (
        ("reserve", "`ReservedPerStep`, executions of one step", per_step()),
        ("reserveStoreMedia", "`ReservedForStoreMedia`, executions", for_store_media()),
    ):
        found[name] = {"slots": kept, "label": label}
    found["lambda"]["label"] += ", without the reserved"
    found["lambda"]["slots"] -= _kept_together()
    for name, change in (raised or {}).items():
        found[name] |= change
    # `CreationsPerMinute` is the provider's limit; what VSL lets through at once is less.
    found["provider"]["burst"] = found["provider"]["perSecond"] * 60 * BURST_SHARE
    return found


def per_step() -> int:
    """As samconfig.toml has it for production."""
    return int(configured("production")["ReservedPerStep"])


def for_store_media() -> int:
    return int(configured("production")["ReservedForStoreMedia"])


@cache
def _kept() -> dict[str, int]:
    return reserves(configured("production"))


@cache
def _kept_together() -> int:
    return reserved(configured("production"))


def _quota_of(function: str) -> str:
    """What bounds the executions of one function: its reserve, or how fast Lambda starts more."""
    if f"vsl-production-{function.replace('_', '-')}" not in _kept():
        return "environments"
    return "reserveStoreMedia" if function == "store_media" else "reserve"


def changes(rate: int) -> dict[str, dict[str, Any]]:
    """What to raise, and how, before so many jobs a second come."""
    found: dict[str, dict[str, Any]] = facts()["changes"][str(rate)]
    return found


@cache
def steps() -> tuple[Step, ...]:
    done = work()
    model = facts()["jobs"]["image"]["model"]
    per_write = (done.write_units - 3) / sum(done.write_requests.values())
    read = reading("image")
    read_seconds = read.gigabyte_seconds / done.status.megabytes * 1024
    request = Step(
        "request",
        sum(call.seconds() for call in done.api_workflow),
        {"api": 1 + read.requests, "apiAccount": 1 + read.requests, "writeUnits": 3},
        {
            **_holds(*done.api_workflow),
            "environments:get_status": read_seconds,
            "lambda": read_seconds,
        },
    )
    found = [request, Step("start", TICK, {"startExecution": 1, "transitions": 1})]
    size = facts()["jobs"]["image"]["megabytes"]
    for call in done.steps:
        seconds = call.seconds(size)
        step = Step(
            call.function,
            seconds,
            {
                "transitions": 1,
                "writeUnits": per_write * done.write_requests[call.function],
                "events": call.calls.get("events", 0),
            },
            _holds(call, transferred=size),
        )
        if call.function == "submit_prediction":
            # It comes to this step with a slot, and waits in the queue for it.
            tokens = {**step.tokens, "provider": 1, "hotKey": done.in_flight_writes / SHARDS}
            step = replace(step, tokens=tokens, patience=parameter("QueueWaitSeconds"))
        if call.function == "await_prediction":
            step = replace(step, seconds=seconds + job_seconds(model))
        found.append(step)
        if call.function == "await_prediction":
            found.append(_webhooks(per_write))
    return tuple(found)


def _webhooks(per_write: float) -> Step:
    calls = work().webhooks
    tokens = {
        "webhookMethod": len(calls),
        "apiAccount": len(calls),
        "taskAnswers": 1,
        "writeUnits": per_write * work().write_requests["process_webhook"],
    }
    return Step("webhooks", TICK, tokens, _holds(*calls))


def _holds(*calls: Call, transferred: float = 0) -> dict[str, float]:
    """Executions of each function, and connections of those that ask PostgreSQL.

    Those without a reserve are executions of what the account has left, too.
    """
    found: dict[str, float] = {}
    for call in calls:
        seconds = call.seconds(transferred)
        quota = _quota_of(call.function)
        names = [f"{quota}:{call.function}", *(["lambda"] if quota == "environments" else [])]
        for name in names:
            found[name] = found.get(name, 0) + seconds
        if call.calls.get("postgresql"):
            found["connections"] = found.get("connections", 0) + seconds
    return found


def needs(rate: float, allowed: Mapping[str, Mapping[str, Any]]) -> list[Need]:
    """Every quota with what so many jobs a second ask of it, the tightest first."""
    wanted: dict[str, float] = {}
    for step in steps():
        for name, amount in (*step.tokens.items(), *step.holds.items()):
            wanted[name] = wanted.get(name, 0.0) + rate * amount
    for single in _OF_ONE_FUNCTION:
        wanted[single] = max(
            amount for name, amount in wanted.items() if name.startswith(f"{single}:")
        )
    found = []
    for name, quota in allowed.items():
        limit = quota.get("slots", quota.get("perSecond", 0))
        if name == "environments":
            limit = quota["burst"]
        found.append(Need(name, str(quota["label"]), wanted[name], limit))
    return sorted(found, key=lambda need: -need.load)


@cache
def sustained(rate: int, *, changed: bool) -> Course:
    return _run([rate * TICK] * round(SECONDS / TICK), changes(rate) if changed else None)


@cache
def burst(jobs: int) -> Course:
    """So many jobs in one moment; only the API lets more in than it does as deployed."""
    raised = {name: changes(100)[name] for name in ("api", "webhookMethod")}
    return _run([float(jobs)] + [0.0] * (round(2 * SECONDS / TICK) - 1), raised)


def _run(offered: list[float], raised: Mapping[str, Mapping[str, Any]] | None) -> Course:
    allowed = limits(raised)
    one = {quota: allowed.pop(quota) for quota in _OF_ONE_FUNCTION}
    buckets = {
        name: Bucket(quota["burst"], quota["perSecond"])
        for name, quota in allowed.items()
        if "perSecond" in quota
    }
    slots = {name: Slots(quota["slots"]) for name, quota in allowed.items() if "slots" in quota}
    for step in steps():
        for name in step.holds:
            quota = one.get(name.partition(":")[0])
            if quota is not None:
                most = float(quota["slots"] if "slots" in quota else quota["burst"])
                slots.setdefault(name, Slots(most, growth=quota.get("perSecond", 0)))
    return simulate(steps(), buckets, slots, offered)
