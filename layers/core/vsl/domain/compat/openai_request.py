"""A request of OpenAI's images API: what its clients may say, checked before a model is looked at.

Members: https://platform.openai.com/docs/api-reference/images/create and …/createEdit. A form has text
alone; numbers and truth values are read from it as JSON has them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from vsl.domain.errors import InvalidRequest
from vsl.domain.suggestions import named

type Size = tuple[int, int]

MOST_IMAGES: Final = 10
_SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
# What of a member says no more than that the model may choose.
NEUTRAL: Final[Mapping[str, frozenset[str]]] = {
    "quality": frozenset({"auto", "standard"}),
    "background": frozenset({"auto"}),
    "moderation": frozenset({"auto"}),
    "style": frozenset(),
    "complexity": frozenset(),
    "input_fidelity": frozenset(),
}
_ABOUT_USERS = ("user", "safety_identifier")
_KNOWN = frozenset({"model", "prompt", "n", "size", "response_format", "output_format"}) | {
    *("output_compression", "stream", "partial_images"),
    *NEUTRAL,
    *_ABOUT_USERS,
}
_PICTURES = frozenset({"image", "image[]"})
_FILES = _PICTURES | {"mask"}
_NUMBERS = frozenset({"n", "output_compression", "partial_images", "seed"})


class ResponseFormat(StrEnum):
    URL = "url"
    B64_JSON = "b64_json"


@dataclass(frozen=True, slots=True)
class File:
    """A part of a form: its name and its bytes. What it is, its first bytes tell."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """`choices` are members that only some models understand, `more` those that no client of OpenAI's has:
    they may be a model's own parameters. `size` in pixels, None for the model's own. Without a
    `response_format` the answer has both: today's models of OpenAI's answer with the picture itself, and
    their clients read nothing else, while those of before answered with an address."""

    model: str
    prompt: str
    count: int
    response_format: ResponseFormat | None = None
    size: Size | None = None
    output_format: str | None = None
    output_compression: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    images: Sequence[File] = ()
    mask: File | None = None


def parse_image_request(
    members: Mapping[str, Any], files: Sequence[File] = (), *, editing: bool = False
) -> ImageRequest:
    """`editing`: a picture has to come with it. A member that is null is one left out.

    Raises InvalidRequest with every fault by its member.
    """
    given = {name: value for name, value in members.items() if value is not None}
    faults: dict[str, str] = {}
    model = _text(given, "model", faults, required=True)
    prompt = _text(given, "prompt", faults, required=True)
    count = _whole(given, "n", (1, MOST_IMAGES), faults)
    if given.get("stream", False) is not False:
        faults["stream"] = "is not offered here: the answer comes as a whole"
    if given.get("partial_images", 0) != 0:
        faults["partial_images"] = "is not offered here: the answer comes as a whole"
    request = ImageRequest(
        model=model,
        prompt=prompt,
        count=count or 1,
        response_format=_response_format(given, faults),
        size=_size(given, faults),
        output_format=_text(given, "output_format", faults) or None,
        output_compression=_whole(given, "output_compression", (0, 100), faults),
        choices={name: _text(given, name, faults) for name in NEUTRAL if name in given},
        more={name: value for name, value in given.items() if name not in _KNOWN},
        metadata={name: _text(given, name, faults) for name in _ABOUT_USERS if name in given},
        images=tuple(file for file in files if file.name in _PICTURES),
        mask=next((file for file in files if file.name == "mask"), None),
    )
    if editing and not request.images:
        faults["image"] = "is required: a file of the form"
    for file in files:
        if not editing or file.name not in _FILES:
            faults[named(file.name)] = "is a file that is not offered here"
    if faults:
        raise InvalidRequest.of(faults.items())
    return request


def form_members(fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The text fields of a form, numbers and truth values as JSON would have them. Raises InvalidRequest for
    a field that comes twice."""
    members: dict[str, Any] = {}
    for name, texts in fields.items():
        if len(texts) > 1:
            raise InvalidRequest.of([(named(name), "comes twice")])
        members[name] = _typed(name, texts[0])
    return members


def _typed(name: str, text: str) -> str | int | bool:
    if name in _NUMBERS and re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    if name == "stream" and text in {"true", "false"}:
        return text == "true"
    return text


def _text(
    given: Mapping[str, Any], name: str, faults: dict[str, str], *, required: bool = False
) -> str:
    value = given.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not value.strip():
        faults[name] = "is required" if value is None else "must be text that is not empty"
        return ""
    return value


def _whole(
    given: Mapping[str, Any], name: str, bounds: tuple[int, int], faults: dict[str, str]
) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    low, high = bounds
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        faults[name] = f"must be a whole number from {low} to {high}"
        return None
    return value


def _size(given: Mapping[str, Any], faults: dict[str, str]) -> Size | None:
    text = given.get("size", "auto")
    if text == "auto":
        return None
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        faults["size"] = "must be auto or WIDTHxHEIGHT in pixels, such as 1024x1024"
        return None
    return int(found[1]), int(found[2])


def _response_format(given: Mapping[str, Any], faults: dict[str, str]) -> ResponseFormat | None:
    asked = given.get("response_format")
    if isinstance(asked, str) and asked in ResponseFormat:
        return ResponseFormat(asked)
    if asked is not None:
        faults["response_format"] = "must be url or b64_json"
    return None
