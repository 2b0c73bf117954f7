"""The parameters of a query: those that a route does not know are refused, not passed over.

A filter that is misspelt would otherwise change nothing and say nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from vsl.domain.errors import InvalidRequest
from vsl.domain.suggestions import did_you_mean, listed, named

_MAX_REPORTED_FAULTS = 20

# By method and route; a test compares with the API document. Where a route is missing (pages for people,
# whose addresses others may decorate, and the provider's webhook) any query is taken.
KNOWN_PARAMETERS: Mapping[str, Sequence[str]] = {
    "GET /status/{jobId}": ("userId", "wait", "include"),
    "GET /jobs": (
        *("userId", "status", "mediaType", "modelId", "createdAfter", "createdBefore"),
        *("metadata[]", "q", "limit", "cursor"),
    ),
    "GET /jobs/{jobId}": ("userId", "wait", "include"),
    "DELETE /jobs/{jobId}": ("userId",),
    "GET /jobs/{jobId}/timeline": ("userId",),
    "GET /jobs/{jobId}/callbacks": ("userId",),
    "POST /jobs/{jobId}/callbacks/replay": ("userId",),
    "GET /webhook-secret": ("userId",),
    "POST /jobs/{jobId}/cancel": ("userId",),
    "POST /uploads": (),
    "GET /operations": ("hours", "userId"),
    "GET /budget": ("userId",),
    "GET /usage": ("userId", "from", "to", "by", "format"),
    "GET /budgets/{owner}": ("userId",),
    "PUT /budgets/{owner}": ("userId",),
    "POST /credits": ("userId",),
    "GET /ledger": ("jobId", "userId"),
    "GET /keys": ("owner", "limit", "cursor", "userId"),
    "POST /keys": ("userId",),
    "DELETE /keys/{keyId}": ("userId",),
    "GET /models": (),
    "GET /models/{modelId}": (),
    "POST /models/{modelId}/estimate": (),
    "POST /mcp": (),
    "POST /openai/v1/images/generations": (),
    "POST /openai/v1/images/edits": (),
    "GET /openai/v1/models": (),
    "GET /openai/v1/models/{model}": (),
}


def check_query(route: str, query: Mapping[str, Sequence[str]]) -> None:
    """`query` has each name with all its values. Raises InvalidRequest for a name that the route does not
    know, and for one that comes twice."""
    known = KNOWN_PARAMETERS.get(route)
    if known is None or not query:
        return
    twice = [(named(name), "comes twice") for name, values in query.items() if len(values) > 1]
    faults = [*unknown_parameters(query, known), *twice]
    if faults:
        raise InvalidRequest.of(faults)


def unknown_parameters(names: Iterable[str], known: Collection[str]) -> list[tuple[str, str]]:
    """A fault for each of `names` that is not `known`. A known `metadata` stands for `metadata[…]` too."""
    faults = []
    for name in names:
        if name in known or _is_member(name, known):
            continue
        if known:
            told = f"is not known here. {did_you_mean(name, known)}Known are: {listed(known)}"
        else:
            told = "is not known here: the route takes no query"
        faults.append((named(name), told))
    return faults[:_MAX_REPORTED_FAULTS]


def _is_member(name: str, known: Collection[str]) -> bool:
    """Of a parameter in the style deepObject: `metadata[order]`."""
    start, bracket, rest = name.partition("[")
    return bool(bracket) and rest.endswith("]") and f"{start}[]" in known
