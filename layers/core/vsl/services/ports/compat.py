"""What the protocols of others ask of the stores beyond what our own API does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vsl.domain.compat.replicate_prediction import PredictionFacts


class PredictionQueries(Protocol):
    """PostgreSQL."""

    def facts(self, job_ids: Sequence[str]) -> Mapping[str, PredictionFacts]:
        """By job; nothing of one that is not there or deleted."""
        ...


class StoredTexts(Protocol):
    """S3."""

    def read(self, s3_key: str) -> str | None:
        """The text of a stored file; None for one that is gone, or too large to be part of an answer."""
        ...


@dataclass(frozen=True, slots=True)
class UserFile:
    """An upload as its user may see it; `size` in bytes, `etag` and `sha256` None where S3 has none."""

    upload_id: str
    content_type: str
    size: int
    uploaded_at: datetime
    name: str | None = None
    etag: str | None = None
    sha256: str | None = None


class FileKeeping(Protocol):
    """S3: a file that came within a request becomes an upload of its user, gone a day later."""

    def put(
        self, user_id: str, upload_id: str, content: bytes, content_type: str, name: str
    ) -> None:
        """Doing so again keeps the file for another day."""
        ...


class UserFiles(FileKeeping, Protocol):
    """S3: the uploads of a user."""

    def find(self, user_id: str, upload_id: str) -> UserFile | None: ...

    def listed(self, user_id: str, limit: int) -> Sequence[UserFile]:
        """The newest first."""
        ...

    def remove(self, user_id: str, upload_id: str) -> None:
        """Of one that is not there: nothing."""
        ...
