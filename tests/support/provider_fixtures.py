"""Models as the provider describes them: one file each in tests/support/provider_models.

Names and texts are made up, the shapes are those of public schemas. `expect` says whether a
catalogue entry can serve the model at all; `refused` names the input that prevents it and why,
`left_out` the optional inputs that an entry goes without. `expected_output` is the shape of the
output in the entry's words, and the media type where the schema or the example tells it.
"""

import json
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

FOLDER = Path(__file__).with_name("provider_models")


class Obstacle(TypedDict):
    """An input that cannot be served, and the reason; None when it is not an input."""

    input: str | None
    why: Literal["secret", "object", "items", "type", "reference", "input", "output"]


class ExpectedOutput(TypedDict):
    shape: Literal["single", "list", "object", "text", "json"]
    media: NotRequired[Literal["image", "video", "audio", "text", "file"]]


class ProviderModel(TypedDict):
    owner: str
    name: str
    official: bool
    description: str
    expect: Literal["served", "refused"]
    refused: NotRequired[Obstacle]
    left_out: NotRequired[list[Obstacle]]
    expected_output: NotRequired[ExpectedOutput]
    version: str
    created_at: str
    default_example: NotRequired[dict[str, Any]]
    openapi_schema: dict[str, Any]


def provider_models() -> list[ProviderModel]:
    """All of them, ordered by name."""
    return [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]


def owner_and_name(reference: str) -> tuple[str, str]:
    owner, _, name = reference.partition("/")
    return owner, name
