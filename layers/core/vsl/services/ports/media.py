"""Media files: the provider's, the users', and the addresses they are read at."""

from datetime import datetime
from typing import Protocol

from vsl.domain.catalogue.uploads import UploadedFile, UploadForm, UploadRequest
from vsl.domain.jobs.job import Job, MediaAsset


class Media(Protocol):
    """S3 and the download of output files."""

    def store(self, job: Job, index: int, url: str) -> MediaAsset:
        """Stream output number `index` of the job to S3, look into it, store its thumbnail.

        Called from several threads at once. Raises OutputExpired, OutputInvalid, DownloadRefused,
        DownloadFailed (`details.failures`: how often so far, this time included).
        """
        ...


class Uploads(Protocol):
    """S3: one file of a user's under each id, gone a day later."""

    def form(
        self, user_id: str, upload_id: str, request: UploadRequest, max_bytes: int
    ) -> UploadForm:
        """What the user sends the file with."""
        ...

    def find(self, user_id: str, upload_id: str) -> UploadedFile | None:
        """None when this user has sent no file under this id."""
        ...

    def address(self, user_id: str, upload_id: str, seconds: int) -> str:
        """An address from which the file can be fetched for so many seconds."""
        ...


class ObjectRemoval(Protocol):
    """S3."""

    def remove(self, prefix: str) -> int:
        """Remove every object below the prefix; how many there were."""
        ...


class Signer(Protocol):
    def url(self, s3_key: str, content_type: str | None = None) -> str:
        """An address from which the object can be fetched for a while."""
        ...

    def period(self, at: datetime) -> int | None:
        """A number that changes while addresses made at `at` still work for half of their life.

        None when addresses work for ever.
        """
        ...
