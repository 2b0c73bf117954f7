"""Bring the output of a succeeded prediction home: from the provider to our bucket."""

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from vsl.domain.errors import JobCanceled, OutputExpired, OutputInvalid, OutputMissing
from vsl.domain.job import Job, JobEvent, JobStatus, MediaAsset, MediaType
from vsl.domain.prediction import Outcome
from vsl.services.ports import Clock, LiveJobs, Media

OUTPUTS_AT_ONCE = 3


def store_media(
    job: Job, outcome: Outcome, *, live: LiveJobs, media: Media, clock: Clock
) -> tuple[MediaAsset, ...]:
    """Every output file as an asset, in the provider's order.

    Files that are not media (a model's extra data) are assets too, but there must be one that is.
    A cancel wins until the first byte is stored: JobCanceled. Raises OutputMissing, OutputExpired,
    OutputInvalid, DownloadRefused, DownloadFailed too; when several outputs fail, the error of the
    first one in order, after all others have come to rest.
    """
    if not outcome.output:
        if outcome.data_removed:
            raise OutputExpired("The provider has already deleted the output.")
        raise OutputMissing("The prediction succeeded, but the provider returned no file.")
    item = live.get(job.job_id)
    if item is not None and item.cancel_requested_at is not None:
        raise JobCanceled("The user canceled the job.", jobId=job.job_id)
    live.mark(job.job_id, JobEvent("storing", clock.now()), JobStatus.STORING)
    assets = _store_all(job, outcome.output, media)
    if not any(_is_media(asset) for asset in assets):
        kinds = sorted({asset.content_type for asset in assets})
        raise OutputInvalid("None of the output files is media.", contentTypes=kinds)
    size = sum(asset.file_size for asset in assets)
    detail = {"files": len(assets), "bytes": size}
    live.mark(job.job_id, JobEvent("stored", clock.now(), detail=detail))
    return assets


def _store_all(job: Job, urls: tuple[str, ...], media: Media) -> tuple[MediaAsset, ...]:
    with ThreadPoolExecutor(OUTPUTS_AT_ONCE, thread_name_prefix="output") as pool:
        futures = [pool.submit(media.store, job, index, url) for index, url in enumerate(urls)]
        wait(futures, return_when=FIRST_EXCEPTION)
        if any(future.done() and future.exception() for future in futures):
            for future in futures:
                future.cancel()
            wait(futures)
    for future in futures:
        if not future.cancelled() and (error := future.exception()) is not None:
            raise error
    return tuple(future.result() for future in futures)


def _is_media(asset: MediaAsset) -> bool:
    return asset.content_type.partition("/")[0] in set(MediaType)
