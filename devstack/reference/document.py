"""The published document: what API Gateway deploys, for readers, with tags, headers, examples and codes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devstack.reference.codes import Codes, Refusal

# Filled in by the function: where this deployment is and which of the schemes it asks for.
SERVERS = [{"url": "/"}]
CALLER = {"type": "apiKey", "name": "x-api-key", "in": "header"}
# Files of pages for people: no client calls them.
PAGES = ("/console", "/docs")
# Described by those whose protocols they are.
PROTOCOLS = ("/replicate",)
_CROSS_ORIGIN = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers")
_LIMITS = ("RateLimit", "RateLimit-Policy")


def published(
    source: Mapping[str, Any], reference: Mapping[str, Any], codes: Codes
) -> dict[str, Any]:
    """The document for readers: no extensions of API Gateway, no preflights, no CloudFormation."""
    document: dict[str, Any] = _without_extensions(source)
    document["info"] |= reference["info"]
    document["servers"] = SERVERS
    document["tags"] = [dict(each) for each in reference["tags"]]
    document["paths"] = {
        path: {
            verb: _operation(operation, reference, codes)
            for verb, operation in item.items()
            if verb != "options"
        }
        for path, item in document["paths"].items()
        if not path.startswith((*PAGES, *PROTOCOLS))
    }
    examples = set(_references_in(document["paths"], "examples"))
    headers = set(_references_in(document["paths"], "headers"))
    document["components"] = {
        "schemas": document["components"]["schemas"],
        "headers": {
            name: {**each, "schema": {"type": "string"}}
            for name, each in reference["headers"].items()
            if name in headers
        },
        "examples": {
            each.name: {"summary": each.title, "value": each.example()}
            for each in codes.refusals
            if each.name in examples
        },
        "securitySchemes": {"Caller": CALLER},
    }
    return document


def _operation(
    operation: Mapping[str, Any], reference: Mapping[str, Any], codes: Codes
) -> dict[str, Any]:
    told = reference["operations"][operation["operationId"]]
    made = {"tags": [told["tag"]], **operation}
    # Open to all, or asking who calls, as far as the deployment asks at all.
    made["security"] = [{"Caller": []}] if operation["security"] else []
    if "parameters" in operation:
        made["parameters"] = [_parameter(each, reference) for each in operation["parameters"]]
    if "requestBody" in operation:
        made["requestBody"] = _with_example(operation["requestBody"], told["request"])
    refusals = codes.of(made, told.get("errors", ()))
    made["responses"] = {
        status: _refusal(
            int(status),
            [each for each in refusals if each.status == int(status)],
            _foreign_content(answer, reference),
        )
        if int(status) >= 400
        else _answer(answer, status, told)
        for status, answer in operation["responses"].items()
    }
    return made


def _parameter(parameter: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
    place = "requestHeaders" if parameter["in"] == "header" else "parameters"
    return {**reference[place].get(parameter["name"], {}), **parameter}


def _with_example(body: Mapping[str, Any], example: Any) -> dict[str, Any]:
    """Of an answer in several forms the JSON is shown."""
    content = {
        kind: {**media, "example": example} if kind == "application/json" else media
        for kind, media in body["content"].items()
    }
    return {**body, "content": content}


def _answer(answer: Mapping[str, Any], status: str, told: Mapping[str, Any]) -> dict[str, Any]:
    names = (*told.get("headers", {}).get(status, ("Cache-Control",)), *_CROSS_ORIGIN)
    made = {**answer, "headers": _references(names)}
    return _with_example(made, told["answers"][status]) if "content" in answer else made


def _foreign_content(answer: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
    """The error of another API's protocol, where an answer has one beside our own."""
    name = str(answer.get("$ref", "")).rpartition("/")[2]
    told = reference["foreignErrors"].get(name)
    if told is None:
        return {}
    schema = {"$ref": f"#/components/schemas/{told['schema']}"}
    return {"application/json": {"schema": schema, "example": told["example"]}}


def _refusal(
    status: int, refusals: Sequence[Refusal], foreign: Mapping[str, Any]
) -> dict[str, Any]:
    """Raises ValueError for a status that no code explains."""
    if not refusals and not foreign:
        raise ValueError(f"an answer {status} for which api/reference.yaml names no code")
    limited = (
        _LIMITS if any(each.status == 429 and not each.by_gateway for each in refusals) else ()
    )
    later = ("Retry-After",) if status in {409, 429, 503, 504} else ()
    titles = dict.fromkeys(each.title for each in refusals) or ["An error of the protocol"]
    ours = {
        "application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": {
                each.name: {"$ref": f"#/components/examples/{each.name}"} for each in refusals
            },
        }
    }
    return {
        "description": f"{'; or: '.join(titles)}.",
        "headers": _references((*later, *limited, *_CROSS_ORIGIN)),
        "content": {**foreign, **(ours if refusals else {})},
    }


def _references(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def _references_in(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith(f"#/components/{place}/"):
            yield target.rpartition("/")[2]
        for inner in value.values():
            yield from _references_in(inner, place)
    elif isinstance(value, list):
        for inner in value:
            yield from _references_in(inner, place)


def _without_extensions(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _without_extensions(inner)
            for name, inner in value.items()
            if not str(name).startswith("x-amazon-")
        }
    return [_without_extensions(inner) for inner in value] if isinstance(value, list) else value
