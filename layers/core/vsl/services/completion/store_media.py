"""Copy the output of a succeeded prediction from the provider to our bucket."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from vsl.domain.errors import (
    DownloadFailed,
    DownloadRefused,
    JobCanceled,
    JobDeleted,
    OutputExpired,
    OutputInvalid,
    OutputMissing,
)
from vsl.domain.jobs.job import Job, JobEvent, JobStatus, MediaAsset
from vsl.domain.jobs.object_keys import JobPlace
from vsl.domain.predictions.output import OutputKind
from vsl.domain.predictions.prediction import Outcome
from vsl.services.ports.media import Media, ObjectRemoval
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore

OUTPUTS_AT_ONCE = 3
DOWNLOAD_TRIES = 6
"""Runs in which a download may break off: the first and the state machine's retries of DownloadFailed."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreMedia:
    tracking: TrackingStore
    media: Media
    objects: ObjectRemoval
    clock: Clock

    def __call__(self, job: Job, outcome: Outcome) -> tuple[MediaAsset, ...]:
        """The output files as assets, in the provider's order, of any type.

        A file that cannot be downloaded is left out, as long as there is another. A cancel wins until
        the first byte is stored: JobCanceled. Raises OutputMissing, and the first file's error if no
        file is stored: OutputExpired, OutputInvalid, DownloadRefused. A repetition may resolve
        DownloadFailed: it is raised, after the transfer of all other files, until a file has used up
        its tries.

        Stopping an execution does not stop a step of it that runs: after its last file the job is
        read once more, and a job that has ended without its files, or is deleted, keeps none of them.
        """
        if not outcome.output:
            if outcome.data_removed:
                raise OutputExpired("The provider has already deleted the output.")
            wanted = "file" if job.output is OutputKind.FILES else "text"
            raise OutputMissing(f"The prediction succeeded, but the provider returned no {wanted}.")
        item = self.tracking.get(job.job_id)
        if item is not None and item.cancel_requested_at is not None:
            raise JobCanceled("The user canceled the job.", jobId=job.job_id)
        storing = JobEvent("storing", self.clock.now())
        self.tracking.record_event(job.job_id, storing, JobStatus.STORING)
        try:
            assets, lost = self._store_all(job, outcome.output)
        except Exception:
            self._remove_if_over(job)
            raise
        size = sum(asset.file_size for asset in assets)
        detail: dict[str, object] = {"files": len(assets), "bytes": size}
        if lost:
            detail["lost"] = lost
        stored = JobEvent("stored", self.clock.now(), detail=detail)
        if not self.tracking.record_event(job.job_id, stored):
            self._remove_if_over(job)
        return assets

    def _remove_if_over(self, job: Job) -> None:
        """Raises JobDeleted or JobCanceled, if the job has ended without its files."""
        item = self.tracking.get(job.job_id)
        if item is not None and (not item.status.terminal or item.status is JobStatus.SUCCEEDED):
            return
        for prefix in JobPlace.of(job).prefixes:
            self.objects.remove(prefix)
        if item is None:
            raise JobDeleted("The job was deleted.", jobId=job.job_id)
        raise JobCanceled(f"The job has already ended as {item.status}.", jobId=job.job_id)

    def _store_all(
        self, job: Job, urls: tuple[str, ...]
    ) -> tuple[tuple[MediaAsset, ...], list[dict[str, object]]]:
        """The stored files, and which outputs had to be left out."""
        with ThreadPoolExecutor(OUTPUTS_AT_ONCE, thread_name_prefix="output") as pool:
            futures = [
                pool.submit(self.media.store, job, index, url) for index, url in enumerate(urls)
            ]
            for done in as_completed(futures):
                error = _error(done)
                if error is not None and not _of_one_file(error):  # it would hit the next file, too
                    for future in futures:
                        future.cancel()
        errors = {
            index: error for index, f in enumerate(futures) if (error := _error(f)) is not None
        }
        for error in errors.values():
            if not _final(error):
                raise error
        if len(errors) == len(futures):
            raise errors[0]
        lost: list[dict[str, object]] = []
        for index, error in errors.items():
            code = type(error).__name__
            _logger.warning(
                "output is left out: it cannot be had",
                extra={"output_index": index, "error_code": code, "reason": str(error)},
            )
            lost.append({"output": index, "code": code})
        return tuple(f.result() for index, f in enumerate(futures) if index not in errors), lost


def _error(future: Future[MediaAsset]) -> BaseException | None:
    return None if future.cancelled() else future.exception()


def _of_one_file(error: BaseException) -> bool:
    return isinstance(error, OutputExpired | OutputInvalid | DownloadRefused | DownloadFailed)


def _final(error: BaseException) -> bool:
    """Whether another try would bring the file no more than this one."""
    if isinstance(error, DownloadFailed):
        return int(str(error.details.get("failures", 0))) >= DOWNLOAD_TRIES
    return _of_one_file(error)
