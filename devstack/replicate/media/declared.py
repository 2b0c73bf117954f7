"""Output of the shape that a schema declares: files in it, texts, numbers, lists and objects."""

import re
from collections.abc import Mapping
from typing import Any

from devstack.json_types import json_type
from devstack.replicate.media.kinds import extension, file_kind
from devstack.replicate.media.models import ALL_NSFW, SENSITIVE
from devstack.replicate.media.request import (
    MediaFile,
    ModelFailed,
    Production,
    Request,
    chance,
)
from devstack.replicate.media.scene import Scene, number_of
from devstack.replicate.schemas.interface import Interface, Schema

_COUNTS = ("num_outputs", "num_images", "number_of_images", "num_samples", "count", "n")
_MOST = 12  # files in a list
_DEEPEST = 5  # levels of a schema that contains itself
_SECONDS: Mapping[str, float] = {"mp4": 60.0, "wav": 12.0, "mp3": 12.0, "glb": 15.0}
_OTHERWISE = 4.0
_FILTERED = frozenset({"png", "jpg", "jpeg", "webp", "gif", "mp4"})  # what a safety checker sees


class Declared:
    """Makes what one interface promises; `words` are the model's name and description."""

    def __init__(self, interface: Interface, words: str, example: Any) -> None:
        self._interface = interface
        self._words = words
        self._example = example

    @property
    def usual_seconds(self) -> float:
        """How long such a model takes, more or less."""
        kind = file_kind(_words("", self._interface.output), self._words, self._example, {})
        return _SECONDS.get(kind, _OTHERWISE)

    def produce(self, request: Request) -> Production:
        """Raises ModelFailed when the safety checker flags all that it sees."""
        output = _Maker(self._interface, self._words, request).make(
            "", self._interface.output, self._example, 0
        )
        production = Production(output)
        seen = [file for file in production.files if _kind(file) in _FILTERED]
        dropped = [seen[index] for index in request.dropped(len(seen))]
        if not dropped:
            return production
        if len(dropped) == len(seen) or not isinstance(output, list):
            raise ModelFailed(ALL_NSFW if isinstance(output, list) else SENSITIVE)
        return Production([item for item in output if not any(item is file for file in dropped)])


class _Maker:
    """One output. Files are numbered in the order in which they are made."""

    def __init__(self, interface: Interface, words: str, request: Request) -> None:
        self._interface = interface
        self._model_words = words
        self._request = request
        self._scene = Scene(request)
        self._rng = chance(self._scene.text, request.seed, "output")
        self._files = 0

    def make(self, place: str, schema: Schema, example: Any, depth: int) -> Any:
        schema = self._interface.resolve(schema)
        if branches := [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
            kinds = [self._interface.resolve(branch).get("type") for branch in branches]
            told = json_type(example)
            branch = branches[kinds.index(told) if told in kinds else 0]
            return self.make(place, branch, example, depth + 1)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._rng.choice(list(schema["enum"]))
        made: Any
        match schema.get("type"), schema.get("format"):
            case "string", "uri":
                made = self._file(_words(place, schema), example)
            case "array", _:
                made = self._list(place, schema, example, depth)
            case "object", _:
                made = self._object(schema, example, depth)
            case ("string" | "integer" | "number" | "boolean") as kind, _:
                made = self._value(kind)
            case _:
                made = self._like(place, example, depth)
        return made

    def _file(self, words: str, example: Any) -> MediaFile:
        kind = file_kind(words, self._model_words, example, self._request.input)
        index, self._files = self._files, self._files + 1
        return MediaFile(f"output-{index}.{kind}", self._scene.file(kind, index))

    def _list(self, place: str, schema: Schema, example: Any, depth: int) -> list[Any]:
        examples = example if isinstance(example, list) and example else [None]
        items = schema.get("items", {})
        if depth >= _DEEPEST:
            return []
        if self._interface.resolve(items).get("type") == "string" and self._is_text(items):
            words = self._sentence() if depth == 0 else "left, middle, right"
            pieces = re.findall(r"\S+\s*", words)
            return pieces if self._interface.grows else [piece.strip(" ,") for piece in pieces[:3]]
        asked = number_of(self._request.input, _COUNTS, _MOST) if depth == 0 else None
        count = asked or min(len(examples), _MOST)
        if schema.get("x-cog-array-type") == "iterator" and asked is None:
            count = max(count, 3)
        return [
            self.make(place, items, examples[index % len(examples)], depth + 1)
            for index in range(count)
        ]

    def _is_text(self, schema: Schema) -> bool:
        return self._interface.resolve(schema).get("format") != "uri"

    def _object(self, schema: Schema, example: Any, depth: int) -> dict[str, Any]:
        examples = example if isinstance(example, dict) else {}
        properties = dict(schema.get("properties", {}))
        further = schema.get("additionalProperties")
        if not properties and isinstance(further, dict):
            properties = dict.fromkeys(examples or ("first", "second"), further)
        if not properties:
            return {"text": self._sentence(), "score": round(self._rng.random(), 4)}
        required = schema.get("required", ())
        return {
            name: self.make(name, each, examples.get(name), depth + 1)
            for name, each in properties.items()
            if depth < _DEEPEST or name in required
        }

    def _like(self, place: str, example: Any, depth: int) -> Any:
        """For a schema that allows anything: the shape of the example."""
        if isinstance(example, str) and extension(example):
            return self._file(place, example)
        if isinstance(example, list):
            return [self._like(place, item, depth + 1) for item in example[:_MOST]]
        if isinstance(example, dict):
            return {name: self._like(name, each, depth + 1) for name, each in example.items()}
        return self._object({}, None, depth) if example is None else example

    def _value(self, kind: str) -> Any:
        if kind == "integer":
            return self._rng.randint(0, 100)
        if kind == "number":
            return round(self._rng.uniform(0, 1), 4)
        return self._rng.random() < 0.5 if kind == "boolean" else self._sentence()

    def _sentence(self) -> str:
        about = " ".join(self._scene.text.split())[:400]
        return f"What was asked for: {about}. It was answered with seed {self._request.seed}."


def _words(place: str, schema: Schema) -> str:
    return f"{place} {schema.get('title', '')} {schema.get('description', '')}".replace("_", " ")


def _kind(file: MediaFile) -> str:
    return file.name.rpartition(".")[2]
