"""The one place for logs and metrics: JSON lines for CloudWatch Logs Insights, EMF for metrics.

Every line of a job can be found by `job_id`, metrics too. Tokens, secrets, signed URLs and prompts
are never logged. Metric names are those of `METRICS`; alarms and dashboard use no other (a test compares).
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger

from vsl.runtime.settings import settings

SERVICE = "vsl"
NAMESPACE = "VSL"

# Unit by name. Every metric exists by stage alone, which alarms watch; some again by one dimension.
METRICS: Mapping[str, str] = {
    "JobStarted": "Count",
    "JobCompleted": "Count",
    "JobFailed": "Count",
    "JobCanceled": "Count",
    "ProcessingTime": "Seconds",
    "QueueTime": "Seconds",
    "RunTime": "Seconds",
    "EstimatedTime": "Seconds",
    "TransferTime": "Seconds",
    "TransferSize": "Bytes",
    "EstimatedCost": "None",
    "ActualCost": "None",
    "Resubmissions": "Count",
    "WebhookLatency": "Seconds",
    "WebhookRejected": "Count",
    "OutcomeRecorded": "Count",
    "RateLimited": "Count",
    "OrphanedPrediction": "Count",
    "OldestWaiting": "Seconds",
    "SlotWait": "Seconds",
    "SlotQueue": "Count",
    "ItemFailed": "Count",
    "CallbackAttempted": "Count",
    "BudgetReached": "Percent",
    "CostAnomaly": "Count",
}

# CloudWatch bills each value of a dimension as a metric, by the month. What else is known of a
# metric is a property of its line: it costs nothing, and a saved query asks for it.
DIMENSIONS: Mapping[str, str] = {
    "JobCompleted": "modelId",
    "JobFailed": "errorType",
    "ProcessingTime": "mediaType",
    "ActualCost": "mediaType",
    "OutcomeRecorded": "source",
    "CallbackAttempted": "outcome",
    "SlotWait": "userClass",
    "BudgetReached": "of",
}

# What a line of a job says of it, beside the function and the request that wrote it.
JOB_KEYS = ("job_id", "execution", "user_id", "model_id", "attempt")


class _KeysOfTheLine(logging.Filter):
    """What every line says while an event is handled. One at a time is: its threads share this.

    Powertools' own context keys would take those of an outer event away with them.
    """

    known: Mapping[str, object] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in self.known.items():
            record.__dict__.setdefault(name, value)
        return True


# RFC 3339: of any other timestamp Lambda's filter concludes that the line is INFO.
logger = Logger(service=SERVICE, utc=True, use_rfc3339=True)
# Not Powertools' own way, which Lambda's level overrules; and that one must stay at INFO, for Lambda
# takes the lines of metrics, which name no level, for INFO.
logging.getLogger(SERVICE).setLevel(os.environ.get("LOG_LEVEL", "INFO"))
keys_of_the_line = _KeysOfTheLine()
logger.registered_handler.addFilter(keys_of_the_line)


class EmfMetrics:
    """Metrics as log lines in CloudWatch's embedded metric format: no call, no permission.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def count(self, name: str, /, **known: str) -> None:
        self.record({name: 1}, **known)

    def seconds(self, name: str, value: float, /, **known: str) -> None:
        self.record({name: value}, **known)

    def record(self, values: Mapping[str, float], /, **known: str) -> None:
        line = {
            "_aws": {
                "Timestamp": time.time_ns() // 1_000_000,
                "CloudWatchMetrics": list(_directives(values, known)),
            },
            "service": SERVICE,
            "stage": settings().stage,
            **_job_of_this_line(),
            **known,
            **values,
        }
        # Lambda keeps a line that is JSON already as it is, also with JSON logging on.
        sys.stdout.write(json.dumps(line) + "\n")


metrics = EmfMetrics()


def _directives(names: Iterable[str], known: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The metrics, those with the same dimensions together."""
    by: dict[str | None, list[dict[str, str]]] = {}
    for name in names:
        dimension = DIMENSIONS.get(name)
        metric = {"Name": name, "Unit": METRICS[name]}
        by.setdefault(dimension if dimension in known else None, []).append(metric)
    for dimension, metrics_of_it in by.items():
        sets = [["stage"]] if dimension is None else [["stage"], ["stage", dimension]]
        yield {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics_of_it}


def _job_of_this_line() -> dict[str, Any]:
    """A metric's properties, by no dimension: they cost nothing and are found by a query."""
    known = keys_of_the_line.known
    return {name: known[name] for name in JOB_KEYS if name in known}


@contextmanager
def job_keys(event: Mapping[str, Any], **more: object) -> Iterator[None]:
    """Every log line inside names the function, and the job with all that `event` tells of it."""
    job = _find_job(event)
    keys = {
        "function_name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        "release": os.environ.get("RELEASE"),
        "job_id": job.get("jobId") or event.get("jobId"),
        "execution": event.get("executionArn") or _inner(event, "execution").get("id"),
        "user_id": job.get("userId"),
        "model_id": job.get("modelId"),
        "attempt": _attempt(event),
        **more,
    }
    outer = keys_of_the_line.known
    keys_of_the_line.known = {**outer, **{name: value for name, value in keys.items() if value}}
    try:
        yield
    finally:
        keys_of_the_line.known = outer


def _find_job(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _inner(event, "job") or _inner(_inner(event, "input"), "job")


def _attempt(event: Mapping[str, Any]) -> object:
    """Of the prediction: where a step or a webhook is told of it, an earlier step knew it."""
    told = event.get("attempt") or _inner(event, "outcome").get("attempt")
    return told or _inner(_inner(event, "input"), "prediction").get("attempt")


def _inner(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}
