"""What a model makes: the shape of its answer, and the kind of media."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.models.translation import kinds
from cli.models.translation.published import Published
from cli.models.translation.schema import Resolved, UnreadableSchemaError, resolve
from cli.models.translation.values import NotServedError

_DEPTH = 8
_FORMAT_INPUTS = ("format", "output_format", "file_format", "audio_format", "video_format")


@dataclass(frozen=True, slots=True)
class Output:
    """`guess` says what the kind of media was told from, None where it is certain."""

    shape: str
    media: str
    guess: str | None = None


def translate_output(published: Published) -> Output:
    """Raises NotServedError where the version says nothing of its output."""
    if "Output" not in published.schemas:
        raise NotServedError("output", "its version publishes no schema of its output")
    try:
        shape = _shape(published)
    except UnreadableSchemaError as error:
        raise NotServedError("output", f"of its output {error}") from None
    if shape == "text":
        return Output(shape, "text")
    if shape == "json":
        return Output(shape, "file")
    return Output(shape, *_media(published))


def _shape(published: Published) -> str:
    value = resolve(published.output, published.schemas)
    if value.type is None and not value.forms and not value.get("properties"):
        return "object" if any(kinds.addresses(published.sample)) else "json"
    if value.type == "string":
        # Old models return files without saying so.
        is_file = _is_file(value) or kinds.is_address(published.sample)
        return "single" if is_file else "text"
    if value.type == "array":
        member = resolve(value.get("items"), published.schemas)
        if member.type == "string":
            texts = published.sample if isinstance(published.sample, list) else []
            is_file = _is_file(member) or (bool(texts) and all(map(kinds.is_address, texts)))
            return "list" if is_file else "text"
    return "object" if _holds_files(value, published.schemas, _DEPTH) else "json"


def _is_file(value: Resolved) -> bool:
    return value.type == "string" and value.get("format") in {"uri", "url"}


def _holds_files(value: Resolved, schemas: Mapping[str, Any], depth: int) -> bool:
    if _is_file(value) or depth == 0:
        return _is_file(value)
    if any(_holds_files(form, schemas, depth - 1) for form in value.forms):
        return True
    return any(
        _holds_files(part, schemas, depth - 1) for part in _parts(value, schemas) if part.keywords
    )


def _parts(value: Resolved, schemas: Mapping[str, Any]) -> Iterator[Resolved]:
    """Members of a list, properties of an object. One that refers back adds nothing new."""
    properties = value.get("properties")
    inner = [value.get("items"), value.get("additionalProperties")]
    inner += properties.values() if isinstance(properties, dict) else []
    for schema in inner:
        try:
            yield resolve(schema, schemas)
        except UnreadableSchemaError:
            continue


def _media(published: Published) -> tuple[str, str | None]:
    """By the example's files, the formats it offers, the words about it; else any file."""
    for address in kinds.addresses(published.sample):
        if kind := kinds.of_file(address):
            return kind, "the example's file"
    for name in _FORMAT_INPUTS:
        if kind := kinds.of_ending(_default_of(published, name)):
            return kind, f"the default of {name}"
    words = [published.reference.name, published.description, *_output_names(published)]
    if kind := kinds.of_words(*words) or kinds.of_words(*_descriptions(published)):
        return kind, "the words about it"
    return "file", "nothing: files of any kind"


def _default_of(published: Published, name: str) -> Any:
    schema = published.inputs.get(name)
    return schema.get("default") if isinstance(schema, dict) else None


def _output_names(published: Published) -> Iterator[str]:
    value = resolve(published.output, published.schemas)
    properties = value.get("properties")
    yield from properties if isinstance(properties, dict) else ()


def _descriptions(published: Published) -> Iterator[str]:
    for schema in published.inputs.values():
        if isinstance(schema, dict) and schema.get("format") != "uri":
            yield str(schema.get("description") or "")
