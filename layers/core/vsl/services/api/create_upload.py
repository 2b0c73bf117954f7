"""A place for one file of a user, and the form that the client sends it with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.catalogue.uploads import handle_of, parse_upload_request
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import MediaType, iso
from vsl.services.ports.media import Uploads
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class CreateUpload:
    """`upload_limits` are the bytes that an upload of each media type may have."""

    uploads: Uploads
    clock: Clock
    upload_limits: Mapping[MediaType, int]

    def __call__(self, body: object, user_id: str) -> dict[str, Any]:
        """The answer of POST /uploads. Nothing is stored: a form that is never sent leaves no trace."""
        request = parse_upload_request(body, self.upload_limits)
        upload_id = new_job_id(self.clock.now())
        max_bytes = self.upload_limits[request.media_type]
        form = self.uploads.form(user_id, upload_id, request, max_bytes)
        return {
            "uploadId": upload_id,
            "handle": handle_of(upload_id),
            "url": form.url,
            "fields": dict(form.fields),
            "expiresAt": iso(form.expires_at),
            "maxBytes": max_bytes,
        }
