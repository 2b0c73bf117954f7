"""A job's files as the output of a prediction, in the model's own shape."""

from collections.abc import Mapping, Sequence
from typing import Any

from vsl.domain.predictions.output import OutputShape

TEXTS = frozenset({"text", "json"})
"""Shapes whose one file is the output itself."""


def file_output(
    shape: OutputShape | None, urls: Sequence[str], names: Mapping[str, int] | None = None
) -> Any:
    """A list, one address, or an object; `shape` is None when the catalogue has lost the model.

    `names` are the object's own, each with the place of its file; without them the files are numbered.
    """
    if shape == "single" and len(urls) == 1:
        return urls[0]
    if shape == "object":
        known = names or {str(place): place for place in range(len(urls))}
        return {name: urls[place] for name, place in known.items() if place < len(urls)}
    return list(urls)
