"""The body of a request with files (multipart/form-data, RFC 7578), which API Gateway passes on in base64."""

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vsl.domain.errors import InvalidRequest
from vsl.runtime.handler import Event, header

if TYPE_CHECKING:
    from python_multipart.multipart import Field, File

FORM = "multipart/form-data"
# What no form of ours comes near; without a bound the parser would keep what it is sent.
_MOST_PARTS = 100
_MOST_FIELD_BYTES = 256 * 1024
# An event of Lambda ends at 6 MB: files stay in memory.
_MOST_BYTES = 10 * 1024**2


@dataclass(frozen=True, slots=True)
class FormFile:
    """`content_type` and `file_name` are what the client says of it."""

    name: str
    content: bytes = field(repr=False)
    content_type: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The parts in their order. A name may come several times."""

    fields: list[tuple[str, str]]
    files: list[FormFile]


def is_form(event: Event) -> bool:
    kind = (header(event, "Content-Type") or "").partition(";")[0]
    return kind.strip().lower() == FORM


def read_form(event: Event) -> Form:
    """Raises InvalidRequest."""
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import FormParser, parse_options_header

    kind, options = parse_options_header(header(event, "Content-Type"))
    boundary = options.get(b"boundary")
    if kind != FORM.encode() or not boundary:
        raise _invalid(f"must be {FORM} with a boundary")
    form = Form([], [])

    def on_field(part: "Field") -> None:
        if len(form.fields) + len(form.files) >= _MOST_PARTS:
            raise _invalid(f"has more than {_MOST_PARTS} parts")
        form.fields.append((_text(part.field_name), _text(part.value or b"")))

    def on_file(part: "File") -> None:
        if len(form.fields) + len(form.files) >= _MOST_PARTS:
            raise _invalid(f"has more than {_MOST_PARTS} parts")
        part.file_object.seek(0)
        content = part.file_object.read()
        form.files.append(
            FormFile(
                _text(part.field_name),
                content,
                part.content_type or "",
                _text(part.file_name or b""),
            )
        )
        part.close()

    config: dict[Any, Any] = {
        "MAX_MEMORY_FILE_SIZE": _MOST_BYTES,
        "MAX_FIELD_SIZE": _MOST_FIELD_BYTES,
        "MAX_BODY_SIZE": _MOST_BYTES,
    }
    parser = FormParser("multipart/form-data", on_field, on_file, boundary=boundary, config=config)
    try:
        parser.write(_body(event))
        parser.finalize()
    except FormParserError:
        raise _invalid(f"is not valid {FORM}") from None
    return form


def _body(event: Event) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return bytes(text, "utf-8", "surrogateescape")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise _invalid("is not valid base64") from None


def _text(name: bytes | None) -> str:
    try:
        return (name or b"").decode()
    except UnicodeDecodeError:
        raise _invalid("has a part that is not UTF-8 text") from None


def _invalid(what: str) -> InvalidRequest:
    return InvalidRequest.of([("body", what)])
