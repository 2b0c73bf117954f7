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
from tests.support.jobs import catalogue
from tests.support.template import api_source, template
from vsl.domain.callbacks.callback import CallbackOutcome
from vsl.domain.jobs.job import MediaType
from vsl.runtime.observability import DIMENSIONS, METRICS
from vsl.services.pacing.dispatch_queue import CLASSES

MILLION = 1_000_000
# Count, 4XXError, 5XXError, Latency, IntegrationLatency.
METRICS_OF_A_METHOD = 5
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
    return sum(each.usd for each in monthly_lines())


def monthly_lines() -> list[Line]:
    """What is paid however little is done."""
    given = [Line(name, "", float(each["usd"])) for name, each in facts()["monthly"].items()]
    watched = watched_metrics()
    usd = metrics() * price("metrics") + watched * price("alarms") + price("dashboards")
    label = f"CloudWatch: {metrics()} metrics, alarms on {watched} metrics, a dashboard"
    return [*given, Line(label, "", usd)]


def metrics() -> int:
    """Metrics of our own in a busy month: each by stage, some again for each value of a dimension."""
    return len(METRICS) + sum(values_of(name) for name in DIMENSIONS.values())


def values_of(dimension: str) -> int:
    """How many values a dimension has. Raises KeyError for one that is not reckoned with."""
    known = {
        "modelId": len(catalogue().models),
        "mediaType": len(MediaType),
        "outcome": len(CallbackOutcome),
        "userClass": len(CLASSES),
    }
    return known[dimension] if dimension in known else round(assumed(f"{dimension}s"))


def watched_metrics() -> int:
    """An alarm is billed for each metric that goes into it."""
    alarms = [
        each["Properties"]
        for each in template()["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return sum(
        sum("MetricStat" in query for query in alarm["Metrics"]) if "Metrics" in alarm else 1
        for alarm in alarms
    )


def by_method() -> float:
    """What API Gateway's metrics by method would cost a month, which the template leaves off."""
    document = api_source()
    methods = sum(len(item) for item in document["paths"].values())
    return methods * METRICS_OF_A_METHOD * price("metrics")


def _lines(kind: str) -> Iterator[Line]:
    done, job = work(), facts()["jobs"][kind]
    size = job["megabytes"]
    reads = reading(kind)
    calls = [*done.api_workflow, *done.steps, *done.webhooks]
    gigabyte_seconds = sum(gigabytes(call, size) for call in calls) + reads.gigabyte_seconds
    invocations = len(calls) + reads.requests
    requests = 1 + len(done.webhooks) + reads.requests
    steps = sum(call.seconds(size) for call in done.steps)
    yield _machine("media_job", done.transitions, steps)
    yield _machine("generate_media", done.api_workflow_transitions, api_workflow_seconds())
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
class Views:
    """What a million views of a file cost, in US dollars, by where it is read."""

    presigned: float
    cached: float
    """At the distribution, of what its cache holds."""
    fetched: float
    """At the distribution, of what it asks S3 for each time."""


def views(kind: str) -> Views:
    """S3 charges CloudFront for requests and for no transfer."""
    gigabytes_out = facts()["jobs"][kind]["megabytes"] * 1000
    cached = gigabytes_out * price("distributedOut") + price("distributedRequests")
    return Views(
        presigned=gigabytes_out * price("transferOut") + price("s3Gets"),
        cached=cached,
        fetched=cached + price("s3Gets"),
    )


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


@dataclass(frozen=True, slots=True)
class Authorization:
    """What `ApiAuth=KEYS` adds a job: an execution of authorize_key before each request of its client. Its
    webhooks carry a signature, and have none. API Gateway does not bill an authorizer."""

    requests: float

    @property
    def gigabyte_seconds(self) -> float:
        return self.requests * gigabytes(work().authorizer)

    @property
    def usd(self) -> float:
        """A million jobs' worth, at most: a process reads a key again only after half a minute."""
        lambdas = self.requests * price("lambdaRequests")
        lambdas += self.gigabyte_seconds * MILLION * price(f"lambdaSeconds.{architecture()}")
        logs = self.requests * assumed("logBytes") / 1000 * price("logs")
        return lambdas + self.requests * price("readUnits") + logs

    def executions(self, rate: float) -> float:
        """How many run at once, on average, at so many jobs a second."""
        return rate * self.requests * work().authorizer.seconds()


def authorization(kind: str) -> Authorization:
    return Authorization(1 + reading(kind).requests)


def gigabytes(call: Call, transferred: float = 0) -> float:
    """GB-seconds of one invocation."""
    return call.seconds(transferred) * call.megabytes / 1024


def api_workflow_seconds() -> float:
    return sum(call.seconds() for call in work().api_workflow)


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
