"""The API document as one page for people: plain HTML, no script, nothing fetched from anywhere."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

type Document = Mapping[str, Any]

STYLE = """
:root{color-scheme:light dark;--line:#8886;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h1,h2,h3{line-height:1.25}h2{margin-top:3rem;border-top:1px solid var(--line);padding-top:1rem}
code{font:0.9em ui-monospace,monospace}pre{background:var(--soft);padding:.75rem;overflow:auto}
h2 code{font-size:1em}.verb{font-weight:700;margin-right:.5ch}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line)}
nav ul{list-style:none;padding:0;columns:2 20rem}
:focus-visible{outline:3px solid;outline-offset:2px}
.skip{position:absolute;left:-100vw}.skip:focus{left:1rem}
"""
_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "characters: at least",
    "maxLength": "characters: at most",
    "default": "otherwise",
}
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
)


def api_page(document: Document) -> str:
    """`document` is OpenAPI 3.0, as `describe_api` gives it."""
    title = escape(document["info"]["title"])
    url = escape(document["servers"][0]["url"])
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{title}: API</title><style>{STYLE}</style></head><body>",
            '<a class="skip" href="#operations">Skip to the operations</a>',
            f"<header><h1>{title}</h1><p>{escape(document['info']['description'])}</p>",
            f"<p>Base address: <code>{url}</code>. For programs: ",
            f'<a href="{url}/openapi.json">openapi.json</a>.</p>{_caller(document)}</header>',
            f'<nav aria-label="Operations"><ul>{"".join(_contents(document))}</ul></nav>',
            f'<main id="operations">{"".join(_operations(document))}',
            f'<h2 id="schemas">Schemas</h2>{"".join(_schemas(document))}</main></body></html>',
        )
    )


def _caller(document: Document) -> str:
    scheme = document["components"].get("securitySchemes", {}).get("Caller")
    if scheme is None:
        return "<p>Requests need not say who asks.</p>"
    return (
        f"<p>Requests carry the header <code>{escape(scheme['name'])}</code>:"
        f" {escape(scheme['description'])}</p>"
    )


def _each(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield verb.upper(), path, operation


def _contents(document: Document) -> Iterator[str]:
    for verb, path, operation in _each(document):
        yield (
            f'<li><a href="#{escape(operation["operationId"])}"><span class="verb">{verb}</span>'
            f"<code>{escape(path)}</code></a> {escape(operation['summary'])}</li>"
        )


def _operations(document: Document) -> Iterator[str]:
    for verb, path, operation in _each(document):
        name = escape(operation["operationId"])
        yield f'<section aria-labelledby="{name}"><h2 id="{name}"><span class="verb">{verb}</span>'
        yield f"<code>{escape(path)}</code></h2><p>{escape(operation['summary'])}.</p>"
        if "description" in operation:
            yield f"<p>{escape(operation['description'])}</p>"
        if operation["security"] == [] and document["components"].get("securitySchemes"):
            yield "<p>Open: no need to say who asks.</p>"
        if operation.get("parameters"):
            rows = (
                (
                    _code(each["name"]),
                    each["in"],
                    _type(each["schema"]),
                    _words(each["schema"], each.get("description"), required=each["required"]),
                )
                for each in operation["parameters"]
            )
            yield _table("Parameters", ("name", "in", "type", ""), rows)
        for content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"<p>Body: <code>{escape(content[0])}</code>, {_type(content[1]['schema'])}</p>"
        answers = (
            (_code(status), *_answer(document, found))
            for status, found in operation["responses"].items()
        )
        yield _table("Answers", ("status", "body", ""), answers) + "</section>"


def _answer(document: Document, answer: Document) -> tuple[str, str]:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    body = [
        f"{_type(content['schema'])} <code>{escape(kind)}</code>"
        for kind, content in answer.get("content", {}).items()
        if "schema" in content
    ]
    return ", ".join(body), escape(answer["description"])


def _schemas(document: Document) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        yield f'<section><h3 id="schema-{escape(name)}">{escape(name)}</h3>'
        for part in schema.get("allOf", [schema]):
            if "$ref" in part:
                yield f"<p>Everything of {_type(part)}, and:</p>"
                continue
            required = part.get("required", ())
            rows = (
                (
                    _code(field),
                    _type(inner),
                    _words(inner, inner.get("description"), required=field in required),
                )
                for field, inner in part.get("properties", {}).items()
            )
            yield _table(f"Fields of {name}", ("field", "type", ""), rows)
        yield "</section>"


def _type(schema: Document) -> str:
    """A short name for what may stand there, with a link to what is described elsewhere."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if schema.get("enum"):
        return " | ".join(_code(str(value)) for value in schema["enum"])
    if "allOf" in schema:
        return " and ".join(_type(part) for part in schema["allOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(
        " ".join(str(schema[key]) for key in ("type", "format") if key in schema) or "any"
    )


def _words(schema: Document, description: str | None, *, required: bool) -> str:
    """What there is to say of a value besides its type."""
    found = ["required"] if required else []
    found += ["may be null"] if schema.get("nullable") else []
    found += [f"{label} {schema[key]}" for key, label in _LIMITS.items() if key in schema]
    return escape(". ".join(part for part in (", ".join(found), description) if part))


def _table(caption: str, head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """Cells are HTML already."""
    titles = "".join(f'<th scope="col">{title or "about"}</th>' for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
