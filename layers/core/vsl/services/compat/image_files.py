"""Files that came within a request, kept where uploads lie, so that a job can name them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vsl.domain.catalogue.uploads import CONTENT_TYPES, handle_of
from vsl.domain.compat.openai_request import File
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import MediaType
from vsl.services.ports.compat import FileKeeping

_NO_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class KeepImageFiles:
    """An upload's id is made of its bytes: the same request names the same file, and is the same request.
    `sniff` tells a file's content type by its content: clients say too little of it."""

    files: FileKeeping
    upload_limits: Mapping[MediaType, int]
    sniff: Callable[[bytes, str], str]

    def __call__(self, user_id: str, files: Mapping[str, File]) -> dict[str, str]:
        """The handle of each file. Raises InvalidRequest before anything is kept."""
        types: dict[str, str] = {}
        faults: dict[str, str] = {}
        limit = self.upload_limits[MediaType.IMAGE]
        for name, file in files.items():
            found = self.sniff(file.content, "")
            if CONTENT_TYPES.get(found) is not MediaType.IMAGE:
                faults[file.name] = "must be a PNG, JPEG, WebP or GIF file"
            elif len(file.content) > limit:
                faults[file.name] = f"has {len(file.content):,} bytes; {limit:,} are allowed"
            else:
                types[name] = found
        if faults:
            raise InvalidRequest.of(faults.items())
        handles = {}
        for name, file in files.items():
            upload_id = new_job_id(_NO_TIME, hashlib.sha256(file.content).hexdigest())
            self.files.put(user_id, upload_id, file.content, types[name], file.name)
            handles[name] = handle_of(upload_id)
        return handles
