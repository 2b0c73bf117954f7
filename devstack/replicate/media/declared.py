"""Output of the shape that a schema declares: files in it, texts, numbers, lists and objects."""

import re
from typing import Any

from devstack.json_types import JSON_TYPES, json_type
from devstack.replicate.media.kinds import extension, file_kind
from devstack.replicate.media.request import MediaFile, Production, Request, chance
from devstack.replicate.media.scene import Scene
from devstack.replicate.schemas.interface import Interface, Schema

_COUNTS = ("num_outputs", "num_images", "number_of_images", "num_samples", "count", "n")
_MOST = 12  # files in a list
_DEEPEST = 5  # levels of a schema that contains itself


def produce(interface: Interface, words: str, example: Any, request: Request) -> Production:
    """What an interface promises; `words` are the model's name and description.

    `example` is the output of a finished prediction, or None. Raises ModelFailed when the safety
    checker flags all that it sees.
    """
    made = _Maker(interface, words, request).make("", interface.output, example)
    return Production(made).checked(request)


class _Maker:
    """One output. Files are numbered in the order in which they are made."""

    def __init__(self, interface: Interface, model_words: str, request: Request) -> None:
        self._interface = interface
        self._model_words = model_words
        self._request = request
        self._scene = Scene(request)
        self._rng = chance(self._scene.text, request.seed, "output")
        self._files = 0

    def make(self, place: str, schema: Schema, example: Any, depth: int = 0) -> Any:
        """A value for the place of this name; `example` is what was there once, or None."""
        schema = self._interface.resolve(schema)
        if branches := [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
            types = [self._interface.resolve(branch).get("type") for branch in branches]
            told = json_type(example)
            branch = branches[types.index(told) if told in types else 0]
            return self.make(place, branch, example, depth + 1)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._rng.choice(list(schema["enum"]))
        free = schema.get("type") not in JSON_TYPES
        made: Any
        match json_type(example) if free else schema["type"]:
            case "string" if schema.get("format") == "uri" or (free and extension(example)):
                made = self._file(place, schema, example)
            case "string" | "null":
                made = self._sentence()
            case "integer":
                made = self._rng.randint(0, 100)
            case "number":
                made = round(self._rng.random(), 4)
            case "boolean":
                made = self._rng.random() < 0.5
            case "array":
                made = self._list(place, schema, example, depth)
            case _:
                made = self._object(schema, example, depth)
        return made

    def _file(self, place: str, schema: Schema, example: Any) -> MediaFile:
        words = f"{place} {schema.get('title', '')} {schema.get('description', '')}"
        kind = file_kind(words, self._model_words, example, self._request.input)
        index, self._files = self._files, self._files + 1
        return MediaFile(f"output-{index}.{kind}", self._scene.file(kind, index))

    def _list(self, place: str, schema: Schema, example: Any, depth: int) -> list[Any]:
        examples = example if isinstance(example, list) and example else [None]
        items = self._interface.resolve(schema.get("items", {}))
        if depth >= _DEEPEST:
            return []
        if items.get("type") == "string" and items.get("format") != "uri":
            words = re.findall(r"\S+\s*", self._sentence())
            return words if self._interface.grows else [word.strip() for word in words[:3]]
        count = min(_MOST, len(examples))
        if depth == 0:
            least = 3 if self._interface.grows else 1
            count = min(_MOST, self._scene.number(*_COUNTS) or max(count, least))
        return [
            self.make(place, items, examples[index % len(examples)], depth + 1)
            for index in range(count)
        ]

    def _object(self, schema: Schema, example: Any, depth: int) -> dict[str, Any]:
        examples = example if isinstance(example, dict) else {}
        properties = dict(schema.get("properties", {}))
        if not properties:
            further = schema.get("additionalProperties")
            each = further if isinstance(further, dict) else {}
            properties = dict.fromkeys(examples or ("first", "second"), each)
        required = schema.get("required", ())
        return {
            name: self.make(name, each, examples.get(name), depth + 1)
            for name, each in properties.items()
            if depth < _DEEPEST or name in required
        }

    def _sentence(self) -> str:
        about = " ".join(self._scene.text.split())[:400]
        return f"What was asked for: {about}. It was answered with seed {self._request.seed}."
