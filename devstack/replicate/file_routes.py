"""/v1/files: uploads."""

import hmac
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.replicate.clock import NANOSECONDS, now
from devstack.replicate.prediction_routes import base_url, state_of
from devstack.replicate.problems import Problem, invalid_fields
from devstack.replicate.uploads import MAX_BYTES, Upload, parse_multipart, payload


async def create_file(request: Request) -> Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES + 64 * 1024:
            raise Problem(413)
    try:
        parts = parse_multipart(request.headers.get("content-type", ""), bytes(body))
        metadata = _metadata(payload(parts["metadata"])) if "metadata" in parts else {}
    except ValueError as error:
        raise Problem(400, str(error)) from None
    part = parts.get("content")
    if part is None:
        fault = {"type": "required", "field": "", "description": "content is required"}
        raise invalid_fields([fault])
    content = payload(part)
    if len(content) > MAX_BYTES:
        raise Problem(413)
    name, kind = part.get_filename() or "file", part.get_content_type()
    if "filename" in parts:
        name = payload(parts["filename"]).decode()
    if "type" in parts:
        kind = payload(parts["type"]).decode()
    upload = state_of(request).uploads.add(name, kind, content, metadata, base_url(request))
    return JSONResponse(upload.view(), 201)


async def list_files(request: Request) -> Response:
    uploads = state_of(request).uploads.newest_first()
    results = [upload.view() for upload in uploads]
    return JSONResponse({"next": None, "previous": None, "results": results})


async def get_file(request: Request) -> Response:
    return JSONResponse(_find(request).view())


async def delete_file(request: Request) -> Response:
    state_of(request).uploads.delete(_find(request).id)
    return Response(status_code=204)


async def download_file(request: Request) -> Response:
    query, upload = request.query_params, _find(request)
    owner, signature = query.get("owner", ""), query.get("signature", "")
    expiry = int(query["expiry"]) if query.get("expiry", "").isdecimal() else 0
    expected = state_of(request).uploads.signature(owner, upload.id, expiry)
    if expiry < now() // NANOSECONDS or not hmac.compare_digest(expected, signature):
        raise Problem(404, "File not found")
    return Response(upload.content, media_type=upload.content_type)


def _find(request: Request) -> Upload:
    upload = state_of(request).uploads.get(request.path_params["id"])
    if upload is None:
        raise Problem(404, "File not found")
    return upload


def _metadata(content: bytes) -> dict[str, Any]:
    metadata = json.loads(content)
    if isinstance(metadata, dict):
        return metadata
    raise ValueError("metadata must be a JSON object")


ROUTES = [
    Route("/v1/files", create_file, methods=["POST"]),
    Route("/v1/files", list_files, methods=["GET"]),
    Route("/v1/files/{id}", get_file, methods=["GET"]),
    Route("/v1/files/{id}", delete_file, methods=["DELETE"]),
    Route("/v1/files/{id}/download", download_file, methods=["GET"]),
]
