"""The one place for logs and metrics: JSON lines for CloudWatch Logs Insights, EMF for metrics.

Every line of a job can be found by `job_id`, metrics too. Tokens, secrets, signed URLs and prompts
are never logged. Metric names are those of `METRICS`; alarms and dashboard use no other (a test compares).
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger

from vsl.runtime.log_lines import LineFormatter
from vsl.runtime.settings import settings

SERVICE = "vsl"
NAMESPACE = "VSL"

# Unit by name. Every metric exists by stage alone, which alarms watch, and again by the dimensions
# it is recorded with.
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
    "PredictionWasted": "Count",
    "OldestWaiting": "Seconds",
    "CallbackAttempted": "Count",
}

# What a line of a job says of it, beside the function and the request that wrote it.
JOB_KEYS = ("job_id", "execution", "user_id", "model_id", "attempt")


class _KeysOfTheLine(logging.Filter):
    """What every line says while an event is handled. One at a time is: its threads share this.

    Powertools' own context keys do the same, at a tenth of a millisecond an event, and forget those
    of an outer one.
    """

    known: Mapping[str, object] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in self.known.items():
            record.__dict__.setdefault(name, value)
        return True


_formatter = LineFormatter(SERVICE)
logger = Logger(service=SERVICE, logger_formatter=_formatter)
keys_of_the_line = _KeysOfTheLine()
logger.registered_handler.addFilter(keys_of_the_line)


def step_done(**learned: object) -> None:
    """The line a step ends with: what `logger.info` would write, without its record (a test compares).

    Half of the time of a line goes into its record, and nobody writes so many.
    """
    if logger.log_level <= logging.INFO:
        keys = {**keys_of_the_line.known, **learned}
        line = _formatter.line("INFO", "step", "step done", time.time(), keys)
        out: Any = logger.registered_handler
        with out.lock:
            out.stream.write(line + "\n")
            out.flush()


class EmfMetrics:
    """Metrics as log lines in CloudWatch's embedded metric format: no call, no permission.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def count(self, name: str, /, **dimensions: str) -> None:
        self.record({name: 1}, **dimensions)

    def seconds(self, name: str, value: float, /, **dimensions: str) -> None:
        self.record({name: value}, **dimensions)

    def record(self, values: Mapping[str, float], /, **dimensions: str) -> None:
        sets = [["stage"], ["stage", *dimensions]] if dimensions else [["stage"]]
        line = {
            "_aws": {
                "Timestamp": time.time_ns() // 1_000_000,
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": sets,
                        "Metrics": [{"Name": name, "Unit": METRICS[name]} for name in values],
                    }
                ],
            },
            "service": SERVICE,
            "stage": settings().stage,
            **_job_of_this_line(),
            **dimensions,
            **values,
        }
        # Lambda keeps a line that is JSON already as it is, also with JSON logging on.
        sys.stdout.write(json.dumps(line) + "\n")


metrics = EmfMetrics()


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
