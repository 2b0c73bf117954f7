"""What stands on the command line, as the parameters of a model."""

import base64
import hashlib
import json
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.client.errors import CommandError, Exit
from cli.client.formatting import size
from vsl.domain.suggestions import did_you_mean

if TYPE_CHECKING:
    from cli.client.api import Api

_ADDRESSES = ("https://", "http://", "data:", "upload:")
_UPLOAD_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine that a parameter is to be."""

    path: Path
    content: bytes
    content_type: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_parameters(
    model: Mapping[str, Any],
    *,
    prompt: str | None,
    pairs: Sequence[str] | None = None,
    images: Sequence[str] | None = None,
    sounds: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Values by name, files among them as LocalFile. Whether they are valid, the API says.

    Raises CommandError for what cannot be read at all.
    """
    schema: Mapping[str, Mapping[str, Any]] = model["parameters"]["properties"]
    found: dict[str, Any] = {}
    for text in pairs or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            message = f"-p wants NAME=VALUE, not {text!r}."
            raise CommandError("InvalidParameters", message, Exit.REFUSED, _see(model))
        known = schema.get(name, {})
        if type_of(known) == "array":
            found[name] = [*found.get(name, []), *_members(value, known)]
        else:
            found[name] = _value(value, known)
    if prompt is not None:
        found["prompt"] = prompt
    for kind, given in (("image", images or ()), ("audio", sounds or ())):
        names = [name for name in _files_of(schema, kind) if name not in found]
        lists = [name for name in names if type_of(schema[name]) == "array"]
        names = [name for name in names if name not in lists]
        if len(given) > len(names) and not lists:
            takes = f"takes {len(names)}" if names else f"takes no --{kind}"
            message = f"{model['modelId']} {takes}; {len(given)} given."
            raise CommandError("InvalidParameters", message, Exit.REFUSED, _see(model))
        files = [_file_or_address(value) for value in given]
        found |= dict(zip(names, files, strict=False))
        if len(files) > len(names):
            found[lists[0]] = files[len(names) :]
    return found


def type_of(schema: Mapping[str, Any]) -> str:
    """Null besides a type means that null may be sent. Empty for no type at all."""
    types = schema.get("type", "")
    return (
        next((each for each in types if each != "null"), "") if isinstance(types, list) else types
    )


def identity(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the contents of files as their digest: what makes two commands equal."""
    return _with_files(parameters, lambda file, _: f"sha256:{file.sha256}")


def unsent(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with files of no content in the place of files: for what does not look into them."""
    return _with_files(parameters, lambda file, _: f"data:{file.content_type};base64,AA==")


def sent(api: "Api", model: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with every file put where the models can read it. Raises CommandError."""
    schema = model["parameters"]["properties"]

    def send(file: LocalFile, name: str) -> str:
        known = schema.get(name, {})
        return _send(api, file, known.get("items", known))

    return _with_files(parameters, send)


def _with_files(
    parameters: Mapping[str, Any], word: Callable[[LocalFile, str], str]
) -> dict[str, Any]:
    """The parameters with a word in the place of each file, also of one in a list. `word` is told which
    parameter the file is for, too."""

    def put(value: Any, name: str) -> Any:
        if isinstance(value, list):
            return [put(member, name) for member in value]
        return word(value, name) if isinstance(value, LocalFile) else value

    return {name: put(value, name) for name, value in parameters.items()}


def _see(model: Mapping[str, Any]) -> str:
    return f"`vsl models {model['modelId']}` lists what it takes."


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """Text as the schema's type, or as it is: the API then says what is wrong with it."""
    if text.startswith("@") or schema.get("format") == "uri":
        return _file_or_address(text.removeprefix("@")) if schema.get("format") == "uri" else text
    kind = type_of(schema)
    if text == "null" and isinstance(schema.get("type"), list):
        return None
    if kind in {"", "string"}:
        return text
    try:
        value = json.loads(text.lower() if kind == "boolean" else text)
    except ValueError:
        return text
    return value


def _members(text: str, schema: Mapping[str, Any]) -> list[Any]:
    """One member, or a whole list as JSON."""
    if text.startswith("["):
        try:
            whole = json.loads(text)
        except ValueError:
            whole = None
        if isinstance(whole, list):
            return whole
    return [_value(text, schema.get("items", {}))]


def _files_of(schema: Mapping[str, Mapping[str, Any]], kind: str) -> list[str]:
    """The parameters that are files of this kind, the one a person means first."""
    names = [
        name
        for name, each in schema.items()
        if each.get("items", each).get("format") == "uri" and (kind == "audio") == ("audio" in name)
    ]
    return sorted(names, key=lambda name: name != kind)


def _file_or_address(text: str) -> LocalFile | str:
    if text.startswith(_ADDRESSES):
        return text
    path = Path(text).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        near = did_you_mean(path.name, _neighbours(path))
        message = f"{text} cannot be read: {error.strerror or error}. {near}".strip()
        hint = "Give a file, or an address that begins with https://."
        raise CommandError("FileNotReadable", message, Exit.REFUSED, hint) from error
    if not content:
        raise CommandError("FileNotReadable", f"{text} is empty.", Exit.REFUSED, "Give another.")
    guessed, _ = mimetypes.guess_type(path.name)
    return LocalFile(path, content, guessed or "application/octet-stream")


def _neighbours(path: Path) -> list[str]:
    try:
        return [each.name for each in path.parent.iterdir()][:500]
    except OSError:
        return []


def _send(api: "Api", file: LocalFile, schema: Mapping[str, Any]) -> str:
    place = api.create_upload(file.content_type, len(file.content), file.path.name)
    if place is not None:
        return _upload(place, file)
    inline = f"data:{file.content_type};base64,{base64.b64encode(file.content).decode()}"
    most = int(schema.get("maxLength", 0))
    if len(inline) > most:
        message = f"{file.path} ({size(len(file.content))}) is too large to travel in the request."
        hint = "This deployment takes no uploads: give the file's https address instead."
        raise CommandError("FileTooLarge", message, Exit.REFUSED, hint, maxBytes=most * 3 // 4)
    return inline


def _upload(place: Mapping[str, Any], file: LocalFile) -> str:
    """Past our API, into the bucket; the same object however often it is sent."""
    import httpx

    from vsl_client.network import trusts_environment

    try:
        answer = httpx.post(
            place["url"],
            data=place["fields"],
            files={"file": (file.path.name, file.content, file.content_type)},
            timeout=httpx.Timeout(_UPLOAD_SECONDS, connect=5.0),
            trust_env=trusts_environment(place["url"]),
        )
    except httpx.TransportError as error:
        message = f"{file.path} could not be uploaded: {error}"
        hint = "Run the same command again."
        raise CommandError("UploadFailed", message, Exit.UNAVAILABLE, hint) from error
    if not answer.is_success:
        message = f"{file.path} could not be uploaded: the store answered {answer.status_code}."
        raise CommandError("UploadFailed", message, Exit.UNAVAILABLE, "Run the same command again.")
    return str(place["handle"])
