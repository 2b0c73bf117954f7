"""Store one output in a process of its own and print what that took, as JSON.

Usage: `python -m tests.support.measure_store URL S3_ENDPOINT BUCKET`. Prints `asset`, `seconds`,
and `baseline` and `peak`, the process's resident memory in bytes before and at its highest during
the transfer. Linux only (it reads /proc).
"""

import base64
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tests.support import media_files
from tests.support.jobs import make_job
from vsl.adapters.http.download import Downloads
from vsl.adapters.media.stored_media import StoredMedia
from vsl.adapters.s3.objects import ObjectStore
from vsl.domain.jobs.job import MediaType


def main(url: str, endpoint: str, bucket: str) -> None:
    config = Config(
        read_timeout=60, s3={"addressing_style": "path", "payload_signing_enabled": False}
    )
    client = boto3.client("s3", endpoint_url=endpoint, config=config)
    parts = urlsplit(url)
    downloads = Downloads([f"{parts.scheme}://{parts.netloc}"], max_bytes=4 * 1024**3)
    media = StoredMedia(ObjectStore(bucket, client), downloads)

    video = media_files.video_file()
    warm_up = "data:;base64," + base64.b64encode(video).decode()
    media.store(make_job("warm-up", media_type=MediaType.VIDEO), 0, warm_up)

    _forget_peak()
    baseline = _memory("VmRSS")
    started = time.perf_counter()
    asset = media.store(make_job("measured", media_type=MediaType.VIDEO), 0, url)
    seconds = time.perf_counter() - started
    print(  # noqa: T201
        json.dumps(
            {
                "asset": asset.document(),
                "seconds": seconds,
                "baseline": baseline,
                "peak": _memory("VmHWM"),
            }
        )
    )


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
