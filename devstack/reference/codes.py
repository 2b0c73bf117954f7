"""The codes of the API, as api/codes.yaml tells of them: with status and title, examples and a page."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vsl.domain.errors import PROBLEM_TYPES, InternalError, error_classes

_ANY_METHOD = "x-amazon-apigateway-any-method"
_REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_CODE = re.compile(r"`([^`]+)`")
_FOR_EVERYBODY = {429, 500, 503, 504}
_FOR_CALLERS = {401, 403}
# What any request may be refused with beside its own codes; Forbidden is also what a function says.
_ANYWHERE = ("InternalError", "ConfigurationError", "StoreUnavailable", "Overloaded")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to be refused. `by_gateway`: API Gateway answers it itself, with a `requestId`."""

    code: str
    status: int
    title: str
    help: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    by_gateway: bool = False

    @property
    def name(self) -> str:
        """Of the example: a code may come from two places, and with two statuses."""
        return f"{self.code}{self.status}AtTheGateway" if self.by_gateway else self.code

    def example(self) -> dict[str, Any]:
        own = {"requestId": _REQUEST_ID} if self.by_gateway else self.members
        return {
            "type": f"{PROBLEM_TYPES}{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail if self.status != InternalError.status else self.title,
            **own,
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job did not succeed, and whether the same request helps `again`."""

    code: str
    why: str
    again: str


@dataclass(frozen=True, slots=True)
class Codes:
    refusals: Sequence[Refusal]
    failures: Sequence[Failure]

    def of(self, operation: Mapping[str, Any], own: Sequence[str]) -> list[Refusal]:
        """What an operation refuses with: its own codes, and those of any request that ask or need what
        it does. Only statuses that the operation has are among them."""
        statuses = {int(status) for status in operation["responses"]}
        reasons = set(_FOR_EVERYBODY) | ({400, 413, 415} if "requestBody" in operation else set())
        reasons |= _FOR_CALLERS if operation["security"] else set()
        return [
            each
            for each in self.refusals
            if each.status in statuses
            and (each.status in reasons if each.by_gateway else each.code in (*own, *_ANYWHERE))
        ]


def read(source: Mapping[str, Any], api: Mapping[str, Any]) -> Codes:
    """`source` is api/codes.yaml, `api` the document with API Gateway's own answers."""
    classes, told = error_classes(), gateway_titles(api)
    refusals = [
        Refusal(code, classes[code].status, classes[code].title, **each)
        for code, each in source["refusals"].items()
    ]
    refusals += [
        Refusal(**each, title=told[each["code"], each["status"]], by_gateway=True)
        for each in source["gateway"]
    ]
    failures = [Failure(code, **each) for code, each in source["failures"].items()]
    return Codes(refusals, failures)


def gateway_titles(api: Mapping[str, Any]) -> dict[tuple[str, int], str]:
    """By code and status, the title of each answer that API Gateway gives without asking a function."""
    answers = list(api["x-amazon-apigateway-gateway-responses"].values())
    for item in api["paths"].values():
        integration = item[_ANY_METHOD]["x-amazon-apigateway-integration"]
        if integration["type"] == "mock":  # else a function knows the methods
            answers.append(integration["responses"]["default"])
    found = {}
    for answer in answers:
        text = answer["responseTemplates"]["application/json"]
        problem = json.loads(re.sub(r"(?<=:)\$[\w.]+", '""', text))
        found[problem["code"], problem["status"]] = problem["title"]
    return found


def page(codes: Codes) -> str:
    """The page that explains each code, under an anchor of its name; it needs no script."""
    known: dict[str, list[str]] = {}
    for each in codes.refusals:
        line = f"<p><b>{each.status}</b> {_html(each.title)}. {_sentence(each.help)}</p>"
        lines = known.setdefault(each.code, [])
        if line not in lines:
            lines.append(line)
    for failure in codes.failures:
        line = (
            f"<p>As a job's <code>errorCode</code>: {_html(failure.why)}. Does the same request help?"
            f" {_sentence(failure.again)}</p>"
        )
        known.setdefault(failure.code, []).append(line)
    sections = [
        f'<section id="{code}">\n<h2>{code}</h2>\n' + "\n".join(lines) + "\n</section>"
        for code, lines in sorted(known.items())
    ]
    return _PAGE.replace("{sections}", "\n".join(sections))


def _sentence(text: str) -> str:
    """With a capital and a full stop; nothing stays nothing."""
    if not text:
        return ""
    start = text if text.startswith("`") else text[0].upper() + text[1:]
    return _html(start.rstrip(".") + ".")


def _html(markdown: str) -> str:
    text = html.escape(_LINK.sub(r"\1", markdown), quote=False)
    return _CODE.sub(r"<code>\1</code>", text)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Problems</title>
<link rel="stylesheet" href="problems.css">
</head>
<body>
<main>
<h1>Problems</h1>
<p>What a refused request, or a job that failed, is told by its code.
The whole API: <a href="../docs">docs</a>.</p>
{sections}
</main>
</body>
</html>
"""
