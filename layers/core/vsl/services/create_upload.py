"""A place for one file of a user's, and the form that fills it."""

from collections.abc import Mapping
from typing import Any

from vsl.domain.ids import new_job_id
from vsl.domain.job import MediaType, iso
from vsl.domain.uploads import handle_of, parse_upload_request
from vsl.services.ports import Clock, Uploads


def create_upload(
    body: object,
    user_id: str,
    *,
    uploads: Uploads,
    clock: Clock,
    limits: Mapping[MediaType, int],
) -> dict[str, Any]:
    """The answer of POST /uploads. Nothing is stored: what is never sent leaves no trace."""
    request = parse_upload_request(body, limits)
    upload_id, max_bytes = new_job_id(clock.now()), limits[request.media_type]
    form = uploads.form(user_id, upload_id, request, max_bytes)
    return {
        "uploadId": upload_id,
        "handle": handle_of(upload_id),
        "url": form.url,
        "fields": dict(form.fields),
        "expiresAt": iso(form.expires_at),
        "maxBytes": max_bytes,
    }
