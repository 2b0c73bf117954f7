"""CreateUpload: a form by which a user's file goes straight to S3, and the handle to name it by."""

from vsl.runtime.body import json_body
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.api import create_upload

prepare("s3")
at_init(create_upload)


@api
def handler(event: Event, _context: Context) -> Response:
    body = json_body(event)
    created = create_upload()(body, caller(event, body).require_user())
    return answer(201, created, {"Cache-Control": "no-store"})
