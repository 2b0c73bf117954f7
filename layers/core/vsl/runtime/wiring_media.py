"""The media adapter of this process; apart from `wiring`, for only StoreMedia carries its libraries."""

from functools import cache

from vsl.adapters.aws import clients
from vsl.adapters.http.download import Downloads
from vsl.adapters.media.stored_media import StoredMedia
from vsl.adapters.s3.objects import ObjectStore
from vsl.runtime.settings import settings
from vsl.runtime.wiring import owner_names


@cache
def media() -> StoredMedia:
    """Made before any thread starts: making a boto3 client is not thread-safe, using it is."""
    return StoredMedia(
        ObjectStore(settings().media_bucket, clients.client("s3", read_timeout=60)),
        Downloads(settings().download_origins, max_bytes=settings().max_output_bytes),
        owner_names(),
    )
