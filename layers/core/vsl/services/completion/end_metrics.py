"""What the end of a job measures."""

from collections.abc import Iterator

from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.money.pricing import is_anomalous
from vsl.services.ports.system import Metrics

_END_METRICS = {
    JobStatus.SUCCEEDED: "JobCompleted",
    JobStatus.FAILED: "JobFailed",
    JobStatus.CANCELED: "JobCanceled",
}


def measure_end(finished: FinishedJob, metrics: Metrics) -> None:
    """A step that dies after this and is run again counts again: better than not at all."""
    job = finished.job
    dimensions = {"mediaType": job.media_type.value, "modelId": job.model_id}
    if finished.status is JobStatus.FAILED:
        dimensions["errorType"] = finished.error_code or "InternalError"
    metrics.count(_END_METRICS[finished.status], **dimensions)
    if finished.settled and is_anomalous(job.estimated_cost, finished.actual_cost):
        metrics.count("CostAnomaly", modelId=job.model_id)
    values = {name: value for name, value in _values(finished) if value is not None}
    metrics.record(values, mediaType=job.media_type.value, modelId=job.model_id)


def _values(finished: FinishedJob) -> Iterator[tuple[str, float | None]]:
    job, run, total = finished.job, finished.predict_time, finished.total_time
    yield "Resubmissions", max(0, finished.attempt - 1)
    yield "ActualCost", None if finished.actual_cost is None else float(finished.actual_cost)
    if job.estimated_cost is not None:
        yield "EstimatedCost", float(job.estimated_cost)
    if finished.status is not JobStatus.SUCCEEDED:
        return
    yield "ProcessingTime", (finished.completed_at - job.created_at).total_seconds()
    yield "EstimatedTime", job.estimated_time
    yield "RunTime", run
    yield "QueueTime", None if run is None or total is None else max(0.0, total - run)
    marks = {event.name: event for event in finished.events}
    if "storing" in marks and "stored" in marks:
        began, ended = marks["storing"], marks["stored"]
        yield "TransferTime", max(0.0, (ended.at - began.at).total_seconds())
        yield "TransferSize", ended.detail.get("bytes")
