"""CreateUpload: a form by which a user's file goes straight to S3, and the handle to name it by."""

from vsl.runtime.body import json_body
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.settings import settings
from vsl.runtime.wiring import clock, uploads
from vsl.services.create_upload import create_upload


@api
def handler(event: Event, _context: Context) -> Response:
    body = json_body(event)
    created = create_upload(
        body,
        caller(event, body.get("userId")).require_user(),
        uploads=uploads(),
        clock=clock,
        limits=settings().max_upload_bytes,
    )
    return answer(201, created, {"Cache-Control": "no-store"})
