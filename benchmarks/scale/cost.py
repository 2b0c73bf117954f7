"""A million jobs, priced line by line."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.scale.load import (
    Call,
    architecture,
    assumed,
    facts,
    in_vpc,
    job_price,
    job_seconds,
    machine_type,
    work,
)

MILLION = 1_000_000
POLL_SECONDS = 10
LONG_POLL_SECONDS = 25


@dataclass(frozen=True, slots=True)
class Line:
    """US dollars for a million jobs; `what` says of how much."""

    service: str
    what: str
    usd: float


def price(name: str) -> float:
    return float(facts()["prices"][name]["usd"])


def lines(kind: str) -> list[Line]:
    """What a million jobs of this kind cost at AWS, the largest first."""
    return sorted(_lines(kind), key=lambda line: -line.usd)


def provider(kind: str) -> float:
    """What the provider takes for a million."""
    return job_price(facts()["jobs"][kind]["model"]) * MILLION


def monthly() -> float:
    return sum(float(each["usd"]) for each in facts()["monthly"].values())


def _lines(kind: str) -> Iterator[Line]:
    done, job = work(), facts()["jobs"][kind]
    size = job["megabytes"]
    reads = reading(kind)
    calls = [*done.door, *done.steps, *done.webhooks]
    gigabyte_seconds = sum(gigabytes(call, size) for call in calls) + reads.gigabyte_seconds
    invocations = len(calls) + reads.requests
    requests = 1 + len(done.webhooks) + reads.requests
    steps = sum(call.seconds(size) for call in done.steps)
    yield _machine("media_job", done.transitions, steps)
    yield _machine("generate_media", done.door_transitions, door_seconds())
    yield Line(
        "Lambda",
        f"{invocations:g} invocations, {gigabyte_seconds:.2f} GB-s on {architecture()}",
        invocations * price("lambdaRequests")
        + gigabyte_seconds * MILLION * price(f"lambdaSeconds.{architecture()}"),
    )
    yield Line("API Gateway", f"{requests:g} requests", requests * price("apiRequests"))
    yield Line(
        "DynamoDB",
        f"{done.write_units} write and {done.read_units + reads.requests:g} read units",
        done.write_units * price("writeUnits")
        + (done.read_units + reads.requests) * price("readUnits"),
    )
    yield Line(
        "S3, requests",
        f"{done.puts} PUT, {done.gets} GET",
        done.puts * price("s3Puts") + done.gets * price("s3Gets"),
    )
    yield Line("S3, the first month", f"{size:g} MB", size * 1000 * price("s3Storage"))
    yield Line(
        "Delivery to the internet",
        f"{size * assumed('views'):g} MB, one view",
        size * assumed("views") * 1000 * price("transferOut"),
    )
    yield Line("EventBridge", f"{done.events} event", done.events * price("events"))
    written = (invocations + requests) * assumed("logBytes")
    yield Line("CloudWatch Logs", f"{written / 1000:.0f} kB", written / 1000 * price("logs"))
    traced = assumed("sampledTraces") * (invocations - len(done.steps) + 1)
    yield Line("X-Ray", f"{traced:.2f} traces", traced * price("traces"))
    if in_vpc("store_media"):
        yield Line("NAT gateway", f"{2 * size:g} MB", 2 * size * 1000 * price("nat"))


@dataclass(frozen=True, slots=True)
class Reading:
    """How a client learns of the end: requests and GB-seconds of get_status a job."""

    requests: float
    gigabyte_seconds: float

    @property
    def usd(self) -> float:
        """A million jobs' worth, API Gateway included."""
        return self.requests * (
            price("apiRequests") + price("lambdaRequests")
        ) + self.gigabyte_seconds * MILLION * price(f"lambdaSeconds.{architecture()}")


def long_polls(kind: str) -> Reading:
    """`GET /status/{jobId}?wait=25`, again and again: an execution is busy all the while."""
    seconds = job_seconds(facts()["jobs"][kind]["model"])
    requests = math.ceil(seconds / LONG_POLL_SECONDS)
    status = work().status
    held = seconds + requests * status.seconds()
    return Reading(requests, held * status.megabytes / 1024)


def looks(kind: str) -> Reading:
    """`GET /status/{jobId}` every ten seconds."""
    seconds = job_seconds(facts()["jobs"][kind]["model"])
    requests = math.ceil(seconds / POLL_SECONDS)
    return Reading(requests, requests * gigabytes(work().status))


def reading(kind: str) -> Reading:
    return long_polls(kind) if kind == "image" else looks(kind)


def gigabytes(call: Call, transferred: float = 0) -> float:
    """GB-seconds of one invocation."""
    return call.seconds(transferred) * call.megabytes / 1024


def door_seconds() -> float:
    return sum(call.seconds() for call in work().door)


def _machine(name: str, transitions: int, seconds: float) -> Line:
    """Standard machines are billed by state, express ones by time and memory."""
    service = f"Step Functions, {name}"
    if machine_type(name) == "STANDARD":
        usd = transitions * price("standardTransitions")
        return Line(service, f"{transitions} state transitions", usd)
    billed = math.ceil(seconds * 10) / 10
    memory = math.ceil(assumed("expressMegabytes") / 64) * 64
    usd = price("expressRequests") + billed * memory / 1024 * MILLION * price("expressSeconds")
    return Line(service, f"{billed:g} s of {memory} MB", usd)
