"""The one place for logs and metrics: JSON lines for CloudWatch Logs Insights, EMF for metrics.

Every line of a job can be found by `job_id`. Tokens, secrets, signed URLs and prompts are never
logged. Metric names are those of `METRICS`; alarms and dashboard use no other (a test compares).
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger

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

logger = Logger(service=SERVICE, utc=True)


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
            **dimensions,
            **values,
        }
        # Lambda keeps a line that is JSON already as it is, also with JSON logging on.
        sys.stdout.write(json.dumps(line) + "\n")


metrics = EmfMetrics()


@contextmanager
def job_keys(event: Mapping[str, Any], **more: object) -> Iterator[None]:
    """Every log line inside names the job, its user, model and attempt as far as they are known."""
    job = _find_job(event)
    keys = {
        "job_id": job.get("jobId") or event.get("jobId"),
        "user_id": job.get("userId"),
        "model_id": job.get("modelId"),
        **more,
    }
    with logger.append_context_keys(**{name: value for name, value in keys.items() if value}):
        yield


def _find_job(event: Mapping[str, Any]) -> Mapping[str, Any]:
    for holder in (event, event.get("input")):
        if isinstance(holder, Mapping) and isinstance(holder.get("job"), Mapping):
            found: Mapping[str, Any] = holder["job"]
            return found
    return {}
