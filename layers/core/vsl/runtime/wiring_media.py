"""The media adapter of this process; apart from `wiring`, for only StoreMedia carries its libraries."""

from functools import cache

from vsl.adapters.aws import client
from vsl.adapters.download import Downloads
from vsl.adapters.media import StoredMedia
from vsl.adapters.s3 import ObjectStore
from vsl.runtime.settings import settings


@cache
def media() -> StoredMedia:
    """Made before any thread starts: making a boto3 client is not thread-safe, using it is."""
    return StoredMedia(
        ObjectStore(settings().media_bucket, client("s3", read_timeout=60)),
        Downloads(settings().download_origins, max_bytes=settings().max_output_bytes),
    )
