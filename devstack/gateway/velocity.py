"""Mapping templates: VTL with API Gateway's variables `$input`, `$util`, `$context`.

Reference: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import airspeed  # type: ignore[import-untyped]
from airspeed import operators

_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]")

_LINE_ENDS = re.compile(r"(#end|#else|^[ \t]*#foreach\(.*\))[ \t]*\n", re.MULTILINE)
_ESCAPES = {
    "'": "\\'",
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\n": "\\n",
    "\t": "\\t",
    "\f": "\\f",
    "\r": "\\r",
}


# A method of Java's strings that our templates use and airspeed does not know.
operators.__additional_methods__[str]["equalsIgnoreCase"] = lambda text, other: (
    text.lower() == other.lower()
)


class TemplateFailedError(Exception):
    """A template could not be rendered: API Gateway answers 500."""


class _Null(str):
    """Velocity's null: false in a condition, equal to itself alone, nothing when printed.

    airspeed takes Python's None for true, and gives up on a member of it where Velocity goes on.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 0

    def __getitem__(self, key: object) -> "_Null":
        return self

    def __call__(self, *_: object) -> "_Null":
        return self


NULL = _Null()


class VtlMap(dict[str, Any]):
    """A JSON object as templates see it: with Java's methods, printed the way Java prints a map."""

    def __missing__(self, key: str) -> Any:
        if hasattr(type(self), key):  # a method, which airspeed looks up after the keys
            raise KeyError(key)
        return NULL

    def get(self, key: str, default: Any = NULL) -> Any:
        return super().get(key, default)

    def keySet(self) -> "VtlList":  # noqa: N802
        return VtlList(self)

    def __str__(self) -> str:
        return "{" + ", ".join(f"{key}={_java_text(value)}" for key, value in self.items()) + "}"


class VtlList(list[Any]):
    """A JSON array as templates see it."""

    def __str__(self) -> str:
        return "[" + ", ".join(map(_java_text, self)) + "]"


operators.__additional_methods__[VtlList] = operators.__additional_methods__[list]


class Input:
    """`$input`: the payload before the integration, or its answer after it."""

    def __init__(self, body: str, parameters: Mapping[str, Mapping[str, str]]) -> None:
        self.body = body
        self._parameters = {kind: VtlMap(values) for kind, values in parameters.items()}

    def json(self, path: str = "$") -> str:
        """The value at a JSONPath, as JSON text; `""` for nothing."""
        found = self._find(path)
        return '""' if found is None else json.dumps(found, ensure_ascii=False)

    def path(self, path: str = "$") -> Any:
        found = self._find(path)
        return "" if found is None else _for_templates(found)

    def params(self, name: str | None = None) -> Any:
        """All parameters by kind, or one: searched in the path, the query, the headers.

        Names are compared letter by letter, those of headers too, as API Gateway does.
        """
        if name is None:
            return VtlMap(self._parameters)
        kinds = (self._parameters[kind] for kind in ("path", "querystring", "header"))
        return next((values[name] for values in kinds if name in values), "")

    def _find(self, path: str) -> Any:
        try:
            document = json.loads(self.body) if self.body else {}
        except ValueError:
            return None
        return find(document, path)


class Util:
    """`$util`."""

    def escapeJavaScript(self, text: Any) -> str:  # noqa: N802
        """As Apache Commons Lang 2 does it: also `'` and `/`, and UTF-16 units beyond ASCII."""
        return "".join(map(_escape, str(text)))

    def parseJson(self, text: str) -> Any:  # noqa: N802
        return _for_templates(json.loads(text))


def render(
    template: str,
    *,
    body: str,
    parameters: Mapping[str, Mapping[str, str]],
    context: Mapping[str, Any],
) -> tuple[str, dict[str, Any]]:
    """The rendered text, and what the template set in `$context.responseOverride`.

    Raises TemplateFailedError.
    """
    scope = _for_templates(context)
    scope["responseOverride"] = VtlMap(header=VtlMap())
    scope["requestOverride"] = VtlMap(header=VtlMap(), path=VtlMap(), querystring=VtlMap())
    names = VtlMap(
        {
            "input": Input(body, parameters),
            "util": Util(),
            "context": scope,
            "stageVariables": VtlMap(),
        }
    )
    try:
        text = _compiled(template).merge(names)
    except (airspeed.TemplateError, ValueError) as error:
        raise TemplateFailedError(str(error)) from error
    override = scope["responseOverride"]
    override["header"] = {
        name: value for name, value in override["header"].items() if value is not NULL
    }
    return text, override


def find(document: Any, path: str) -> Any:
    """The value at a path of names and indices; None where there is none.

    Raises ValueError for the rest of JSONPath, which our templates have no use for.
    """
    steps = path.removeprefix("$")
    position = 0
    while position < len(steps):
        step = _STEP.match(steps, position)
        if step is None:
            raise ValueError(f"JSONPath not supported by the local gateway: {path}")
        position = step.end()
        name = next((group for group in step.groups()[:3] if group is not None), None)
        try:
            document = document[int(step[4]) if name is None else name]
        except (KeyError, IndexError, TypeError):
            return None
    return document


@cache
def _compiled(template: str) -> Any:
    """Velocity takes these together with the end of their line; airspeed prints the line's end."""
    return airspeed.Template(_LINE_ENDS.sub(r"\1##\n", template))


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex().upper()}" for i in range(0, len(units), 2))


def _for_templates(value: Any) -> Any:
    if isinstance(value, Mapping):
        return VtlMap({key: _for_templates(inner) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        return VtlList(map(_for_templates, value))
    return NULL if value is None else value


def _java_text(value: Any) -> str:
    if value is NULL:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
