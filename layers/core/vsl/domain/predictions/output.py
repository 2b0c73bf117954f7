"""What a model answers with, and what is kept of it: addresses of files, or the one file it becomes.

A text and a JSON value are kept as data URLs, so that they travel like every other output.
"""

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from vsl.domain.predictions.provider_values import clean_text, texts_in

OutputShape = Literal["single", "list", "object", "text", "json"]
"""Of a catalogue entry. `single`, `list` and `object` hold addresses of files, at any depth; `text` is a
text, or texts that are joined, `json` is any value: each is stored as one file."""


class OutputKind(StrEnum):
    """How a job's output is read."""

    FILES = "files"
    TEXT = "text"
    JSON = "json"

    @classmethod
    def of(cls, shape: OutputShape) -> "OutputKind":
        return cls(shape) if shape in {cls.TEXT, cls.JSON} else cls.FILES


_ADDRESS = re.compile(r"\s*(?:https?://|data:)", re.IGNORECASE)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def output_addresses(output: object, kind: OutputKind) -> Iterator[str]:
    """Where the files of an output are. Nothing for null, and for a text without a character."""
    if kind is OutputKind.FILES:
        yield from output_urls(output)
    elif output not in (None, ""):
        text = _text(output) if kind is OutputKind.TEXT else _json(output)
        if text:
            content = base64.b64encode(_SURROGATE.sub("\ufffd", text).encode()).decode()
            media = "text/plain" if kind is OutputKind.TEXT else "application/json"
            yield f"data:{media};base64,{content}"


def output_urls(output: object) -> Iterator[str]:
    """Every file address in an output of any shape: string, list or object, nested or not.

    Strings that are no address (the text output of a language model) and nulls are passed over.
    """
    for text in texts_in(output):
        address = clean_text(text)
        if _ADDRESS.match(address):
            yield address


def _text(output: object) -> str:
    """The text, or the parts it came in; what is neither was a surprise, and is told as JSON."""
    if isinstance(output, str):
        return output
    if isinstance(output, list) and all(isinstance(part, str) for part in output):
        return "".join(output)
    return _json(output)


def _json(output: object) -> str:
    """Empty for what is nested too deep to be written."""
    try:
        return json.dumps(_finite(output), ensure_ascii=False)
    except RecursionError:
        return ""


def _finite(value: Any) -> Any:
    """JSON has no numbers that are not finite; some encoders write them all the same."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _finite(member) for name, member in value.items()}
    return [_finite(member) for member in value] if isinstance(value, list | tuple) else value
