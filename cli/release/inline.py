"""References of an OpenAPI document, each replaced by what it refers to; those to schemas stay.

API Gateway's import takes a reference to a schema as a model. One to a response keeps the status
and loses the headers, after which a mapping to such a header is refused. Readers of the document
in the repository keep its references: only what is deployed is without.
"""

from collections.abc import Mapping
from typing import Any

_SCHEMAS = "#/components/schemas/"
# What the import knows of components; everything else was referred to, and stands in its place now.
_KEPT = ("schemas", "securitySchemes")


def inlined(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy. Raises ValueError for a reference that leads nowhere, out of the document or to itself."""
    components = document.get("components", {})
    found: dict[str, Any] = _inlined(
        {name: value for name, value in document.items() if name != "components"}, document, ()
    )
    kept = {name: components[name] for name in _KEPT if name in components}
    return {**found, "components": _inlined(kept, document, ())}


def _inlined(value: Any, document: Mapping[str, Any], way: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str) and not reference.startswith(_SCHEMAS):
            if reference in way:
                raise ValueError(f"{reference} refers to itself.")
            return _inlined(_target(reference, document), document, (*way, reference))
        return {name: _inlined(inner, document, way) for name, inner in value.items()}
    return [_inlined(inner, document, way) for inner in value] if isinstance(value, list) else value


def _target(reference: str, document: Mapping[str, Any]) -> Any:
    start, _, path = reference.partition("#/")
    found: Any = document
    for name in path.split("/"):
        if start or not isinstance(found, Mapping) or name not in found:
            raise ValueError(f"{reference} is not in the document.")
        found = found[name]
    return found
