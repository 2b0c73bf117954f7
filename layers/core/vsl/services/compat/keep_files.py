"""The files of Replicate's API: the uploads of a user, gone a day later."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from vsl.domain.catalogue.uploads import CONTENT_TYPES, LIFE
from vsl.domain.compat.replicate_problems import InvalidField, ReplicateProblem, invalid, not_found
from vsl.domain.jobs.ids import is_job_id, new_job_id
from vsl.domain.jobs.job import MediaType
from vsl.domain.suggestions import listed
from vsl.domain.times import iso
from vsl.services.ports.compat import UserFile, UserFiles
from vsl.services.ports.system import Clock

_MOST_LISTED = 100
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class KeepFiles:
    """`upload_limits` are the bytes that a file of each media type may have, `sniff` tells a file's
    content type by its content and its name: clients mostly say nothing of it."""

    files: UserFiles
    clock: Clock
    upload_limits: Mapping[MediaType, int]
    sniff: Callable[[bytes, str], str]

    def create(self, user_id: str, content: bytes, name: str, api: str) -> dict[str, Any]:
        """Raises ReplicateProblem: 422 for what no model takes, 413 for what is too large."""
        content_type = self.sniff(content, name)
        kind = CONTENT_TYPES.get(content_type)
        if kind is None or not content:
            message = f"content must be a file of one of the types {listed(CONTENT_TYPES)}"
            raise invalid([InvalidField("invalid", "content", message)])
        limit = self.upload_limits[kind]
        if len(content) > limit:
            raise too_large(limit)
        upload_id = new_job_id(self.clock.now())
        short = "".join(each for each in name if each.isprintable() and each not in "/\\")
        self.files.put(user_id, upload_id, content, content_type, short[-_MAX_NAME:] or "file")
        return self.get(user_id, upload_id, api) | {
            "checksums": {
                "sha256": hashlib.sha256(content).hexdigest(),
                "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            }
        }

    def get(self, user_id: str, upload_id: str, api: str) -> dict[str, Any]:
        return _document(self._found(user_id, upload_id), api)

    def listed(self, user_id: str, api: str) -> dict[str, Any]:
        files = self.files.listed(user_id, _MOST_LISTED)
        return {
            "previous": None,
            "next": None,
            "results": [_document(each, api) for each in files],
        }

    def delete(self, user_id: str, upload_id: str) -> None:
        self._found(user_id, upload_id)
        self.files.remove(user_id, upload_id)

    def _found(self, user_id: str, upload_id: str) -> UserFile:
        found = self.files.find(user_id, upload_id) if is_job_id(upload_id) else None
        if found is None:
            raise not_found()
        return found


def too_large(limit: int) -> ReplicateProblem:
    return ReplicateProblem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"Files must be less than {limit / 1024**2:.1f} MiB in size here; larger ones are uploaded by"
        " POST /uploads, or passed by their address.",
    )


def _document(file: UserFile, api: str) -> dict[str, Any]:
    return {
        "id": file.upload_id,
        "name": file.name or "file",
        "content_type": file.content_type,
        "size": file.size,
        "etag": file.etag or "",
        "checksums": {"sha256": file.sha256} if file.sha256 else {},
        "metadata": {},
        "created_at": iso(file.uploaded_at),
        "expires_at": iso(file.uploaded_at + LIFE),
        "urls": {"get": f"{api}/files/{file.upload_id}"},
    }
