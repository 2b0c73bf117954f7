"""Files: those that should be there and are not, and those that belong to no job."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from cli.doctor.findings import Finding, Scope
from cli.doctor.jobs import job_of
from cli.doctor.site import Site
from vsl.adapters.aws.clients import error_code
from vsl.domain.errors import VslError
from vsl.domain.jobs.object_keys import MEDIA_PREFIX, THUMBNAIL_PREFIX
from vsl.domain.predictions.output import output_addresses

_ASSETS = """
    SELECT j.job_id::text, j.replicate_id, j.actual_cost, a.index, a.s3_key, a.file_size
    FROM jobs j JOIN media_assets a USING (job_id)
    WHERE j.status = 'succeeded' AND j.deleted_at IS NULL AND j.created_at > %s
        AND NOT EXISTS (
            SELECT FROM job_events e WHERE e.job_id = j.job_id AND e.name = 'media_lost'
        )
    ORDER BY j.created_at DESC LIMIT %s
"""
_ACKNOWLEDGE = """
    INSERT INTO job_events (job_id, name, at, source, detail)
    VALUES (%s, 'media_lost', now(), 'doctor', '{}') ON CONFLICT DO NOTHING
"""
_KNOWN = """
    SELECT job_id::text FROM jobs
    WHERE job_id = ANY(%s::uuid[]) AND deleted_at IS NULL AND status NOT IN ('failed', 'canceled')
"""
_JOB_ID = re.compile(r"/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})/")


def lost_objects(site: Site, scope: Scope) -> Iterator[Finding]:
    """Succeeded jobs whose file is missing or of another size."""
    for row in site.rows(_ASSETS, site.now() - scope.window, scope.limit):
        size = _size(site, row["s3_key"])
        if size == row["file_size"]:
            continue
        there = "is missing" if size is None else f"has {size} bytes instead of {row['file_size']}"
        yield Finding(
            check="job without its object",
            subject=row["job_id"],
            what=f"{row['s3_key']} {there}",
            money=Decimal(row["actual_cost"] or 0),
            cure=partial(_bring_back, site, row),
        )


def orphaned_objects(site: Site, scope: Scope) -> Iterator[Finding]:
    """Media and thumbnails of jobs that do not exist, failed, or were deleted."""
    now = site.now()
    for prefix in (MEDIA_PREFIX, THUMBNAIL_PREFIX):
        seen = 0
        pages = site.s3.get_paginator("list_objects_v2").paginate(Bucket=site.bucket, Prefix=prefix)
        for page in pages:
            entries = page.get("Contents", ())
            seen += len(entries)
            old = [each for each in entries if now - each["LastModified"] > scope.young]
            yield from _orphans(site, [each["Key"] for each in old])
            if seen >= scope.limit:
                break


def _orphans(site: Site, keys: list[str]) -> Iterator[Finding]:
    by_job: dict[str, list[str]] = {}
    for key in keys:
        found = _JOB_ID.search(key)
        by_job.setdefault(found[1] if found else "", []).append(key)
    known = {row["job_id"] for row in site.rows(_KNOWN, [job for job in by_job if job])}
    for job_id, orphans in by_job.items():
        if job_id not in known:
            yield Finding(
                check="object without a job",
                subject=job_id or orphans[0],
                what=f"{len(orphans)} objects, such as {orphans[0]}",
                cure=partial(_delete, site, orphans),
            )


def _size(site: Site, key: str) -> int | None:
    try:
        return int(site.s3.head_object(Bucket=site.bucket, Key=key)["ContentLength"])
    except ClientError as error:
        if error_code(error) in {"404", "NoSuchKey", "NotFound"}:
            return None
        raise


def _bring_back(site: Site, row: dict[str, Any]) -> str:
    """From the provider while it still has the file (an hour); later the loss is put on record."""
    from vsl.adapters.http.download import Downloads
    from vsl.adapters.media.stored_media import StoredMedia
    from vsl.adapters.s3.objects import ObjectStore

    prediction = site.provider.get(row["replicate_id"]) if row["replicate_id"] else None
    job = job_of(site, row["job_id"])
    urls = list(output_addresses(prediction.output, job.output)) if prediction else []
    if row["index"] < len(urls):
        media = StoredMedia(
            ObjectStore(site.bucket, site.s3),
            Downloads(site.download_origins, max_bytes=4 * 1024**3),
            site.owner_names,
        )
        try:
            media.store(job, row["index"], urls[row["index"]])
        except VslError as error:
            if error.code != "OutputExpired":
                raise
        else:
            return "fetched again from the provider"
    with site.sql() as connection:
        connection.execute(_ACKNOWLEDGE, (row["job_id"],))
    return "lost: the provider has it no more; noted on the job's timeline (media_lost)"


def _delete(site: Site, keys: list[str]) -> str:
    site.s3.delete_objects(
        Bucket=site.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
    )
    return f"{len(keys)} objects deleted"
