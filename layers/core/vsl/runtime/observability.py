"""The one place for logs and metrics: JSON lines for CloudWatch Logs Insights, EMF for metrics.

Every line of a job can be found by `job_id`. Tokens, secrets, signed URLs and prompts are never
logged. Metric names are those of `METRICS`; alarms and dashboards derive from it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

SERVICE = "vsl"
NAMESPACE = "VSL"

METRICS: Mapping[str, MetricUnit] = {
    "JobStarted": MetricUnit.Count,
    "JobCompleted": MetricUnit.Count,
    "JobFailed": MetricUnit.Count,
    "JobCanceled": MetricUnit.Count,
    "ProcessingTime": MetricUnit.Seconds,
    "WebhookLatency": MetricUnit.Seconds,
    "WebhookRejected": MetricUnit.Count,
    "OutcomeRecorded": MetricUnit.Count,
    "RateLimited": MetricUnit.Count,
    "PredictionWasted": MetricUnit.Count,
    "OldestWaiting": MetricUnit.Seconds,
}

logger = Logger(service=SERVICE, utc=True)


class EmfMetrics:
    """Metrics as log lines in CloudWatch's embedded metric format: no call, no permission."""

    def count(self, name: str, /, **dimensions: str) -> None:
        self._emit(name, 1, dimensions)

    def seconds(self, name: str, value: float, /, **dimensions: str) -> None:
        self._emit(name, value, dimensions)

    def _emit(self, name: str, value: float, dimensions: Mapping[str, str]) -> None:
        with single_metric(
            name=name,
            unit=METRICS[name],
            value=value,
            namespace=NAMESPACE,
            default_dimensions={"service": SERVICE},
        ) as metric:
            for dimension, text in dimensions.items():
                metric.add_dimension(name=dimension, value=text)


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
