"""The tables of docs/api.md that are made: between `<!-- made: name -->` and `<!-- end -->`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devstack.reference.codes import Codes

_MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(
    text: str, codes: Codes, document: Mapping[str, Any], reference: Mapping[str, Any]
) -> str:
    """The text with its tables as they are today. Raises KeyError for a name that stands for none."""
    made = {
        "refusals": _refusals(codes, by_gateway=False),
        "gateway": _refusals(codes, by_gateway=True),
        "failures": _table(
            ("code", "why", "does the same request help"),
            [(f"`{it.code}`", it.why, it.again) for it in codes.failures],
        ),
        "request_headers": _table(("header", "of", ""), list(_request_headers(document))),
        "answer_headers": _table(
            ("header", ""),
            [(f"`{name}`", each["description"]) for name, each in reference["headers"].items()],
        ),
    }
    return _MADE.sub(lambda found: f"{found[1]}{made[found[2]]}\n{found[3]}", text)


def _refusals(codes: Codes, *, by_gateway: bool) -> str:
    told = [each for each in codes.refusals if each.by_gateway is by_gateway]
    rows = [(f"`{each.code}`", str(each.status), each.help) for each in told]
    return _table(("code", "status", "what to do"), rows)


def _request_headers(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    known: dict[str, tuple[list[str], str]] = {}
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            for each in operation.get("parameters", ()):
                if each["in"] == "header":
                    routes, _ = known.setdefault(each["name"], ([], each["description"]))
                    routes.append(f"`{verb.upper()} {path}`")
    for name, (routes, description) in known.items():
        yield f"`{name}`", ", ".join(routes), description


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return (
        "\n".join(re.sub(r" +", " ", f"| {' | '.join(line)} |") for line in cells)
        .replace("| --- ", "|---")
        .replace("|--- |", "|---|")
    )
