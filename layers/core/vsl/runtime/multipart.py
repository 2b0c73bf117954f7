"""A form with files, `multipart/form-data` (RFC 7578), out of a proxy event."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP

from vsl.domain.errors import InvalidRequest
from vsl.runtime.handler import Event, header

FORM = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class FormFile:
    """`content_type` without parameters, as the client said it."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """`files` and `fields` by name, each in the order they came."""

    files: Mapping[str, list[FormFile]]
    fields: Mapping[str, list[str]]


def form_of(event: Event) -> Form:
    """Raises InvalidRequest for a body that is no such form."""
    content_type = header(event, "Content-Type") or ""
    body = event.get("body") or ""
    try:
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    except ValueError:
        raise _invalid() from None
    if not content_type.lower().startswith(FORM) or "boundary=" not in content_type.lower():
        raise _invalid()
    head = f"Content-Type: {content_type}\r\n\r\n".encode("ascii", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    if not message.is_multipart():
        raise _invalid()
    files: dict[str, list[FormFile]] = {}
    fields: dict[str, list[str]] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        file_name = part.get_filename()
        if file_name is None:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
        else:
            made = FormFile(file_name, part.get_content_type(), content)
            files.setdefault(name, []).append(made)
    return Form(files, fields)


def _invalid() -> InvalidRequest:
    return InvalidRequest.of([("body", f"must be {FORM} with a boundary")])
