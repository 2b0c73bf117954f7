"""A Replicate of canned answers for `httpx.MockTransport`, in the shapes its API has been seen to use."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from vsl.adapters.replicate.client import ReplicateProvider

BASE = "https://api.replicate.com/v1"
TOKEN = "r8_" + "x" * 37
ID = "k3v9m2x7wq5t8b1n4c6z0y2r5a"

Answer = httpx.Response | Exception


def prediction(status: str = "starting", **more: Any) -> dict[str, Any]:
    """A prediction as the API answers a create: no output, no times, no metrics yet."""
    return {
        "id": ID,
        "model": "black-forest-labs/flux-schnell",
        "version": "hidden",
        "input": {"prompt": "a lighthouse"},
        "logs": "",
        "error": None,
        "status": status,
        "created_at": "2026-01-02T03:04:05.06378514Z",
        "urls": {
            "cancel": f"{BASE}/predictions/{ID}/cancel",
            "get": f"{BASE}/predictions/{ID}",
        },
        **more,
    }


def problem(status: int, /, **body: Any) -> httpx.Response:
    """An error answer: RFC 7807-like, keys vary."""
    headers = {"content-type": "application/problem+json"}
    return httpx.Response(status, headers=headers, content=json.dumps(body).encode())


@dataclass
class CannedReplicate:
    """Answers in order, the last one for ever; keeps the requests and the pauses of the client."""

    answers: list[Answer]
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def provider(self, token: Callable[[], str] = lambda: TOKEN) -> ReplicateProvider:
        return ReplicateProvider(
            BASE, token, transport=httpx.MockTransport(self.handle), sleep=self.pauses.append
        )

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def body(self, index: int = 0) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.requests[index].content)
        return decoded


def canned(*answers: Answer) -> CannedReplicate:
    return CannedReplicate(list(answers))


def page(
    predictions: Iterable[dict[str, Any]], following: str | None = None, previous: str | None = None
) -> httpx.Response:
    return httpx.Response(
        200, json={"previous": previous, "next": following, "results": list(predictions)}
    )
