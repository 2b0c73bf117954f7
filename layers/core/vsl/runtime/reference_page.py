"""The API document as a page: Scalar renders it (docs/decisions/0021-scalar-renders-the-api-page.md)."""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlsplit

RENDERER = "scalar-api-reference-1.76.0.js"
# Scalar sets `style` attributes and adds a sheet of its own.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'{api}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_UNSIGNED = (
    "This stage knows its callers by signatures of AWS (SigV4), which a page cannot make:"
    " requests are tried with an AWS SDK, or with curl --aws-sigv4."
)


def reference_page(document: Mapping[str, Any], root: str, *, can_try: bool) -> str:
    """`root` is the path that the API's routes begin with, empty or with a slash at the front."""
    title, description = (escape(document["info"][name]) for name in ("title", "description"))
    root = escape(root)
    note = "" if can_try else f'<p class="note" role="note">{escape(_UNSIGNED)}</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta name="description" content="{description}"><title>{title}: API</title>'
        f'<link rel="icon" href="{root}/console/icon.svg">'
        f'<link rel="stylesheet" href="{root}/docs/page.css">'
        f'<script src="{root}/docs/{RENDERER}" defer></script>'
        f'<script src="{root}/docs/page.js" defer></script></head><body>{note}'
        f'<div id="reference" data-document="{root}/openapi.json"'
        f' data-try-it="{"true" if can_try else "false"}"></div>'
        f"<noscript><h1>{title}</h1><p>{description}</p><p>This page needs JavaScript;"
        f' <a href="{root}/openapi.json">openapi.json</a> says the same.</p></noscript>'
        "</body></html>"
    )


def content_security_policy(url: str) -> str:
    """Scripts are the API's own files; requests go to the page's host and to `url`, the API."""
    found = urlsplit(url)
    api = f" {found.scheme}://{found.netloc}" if found.scheme and found.netloc else ""
    return _POLICY.format(api=api)
