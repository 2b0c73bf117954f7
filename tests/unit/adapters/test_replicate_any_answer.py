"""Whatever bytes the provider answers with, its client returns a prediction or raises an error of ours."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.replicate_api import ID, canned
from vsl.adapters.replicate.client import ReplicateProvider
from vsl.domain.errors import ProviderUnavailable, SubmissionUncertain, VslError
from vsl.domain.predictions.prediction import Prediction

NAMES = [
    "id",
    "status",
    "detail",
    "title",
    "retry_after",
    "invalid_fields",
    "results",
    "next",
    "key",
]
TEXT = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT | st.sampled_from(NAMES), inner),
    max_leaves=10,
)
BODIES = st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode())
CALLS: dict[str, Callable[[ReplicateProvider], Any]] = {
    "create": lambda provider: provider.create("o/m", {}, "https://w", 60),
    "get": lambda provider: provider.get(ID),
    "list": lambda provider: list(provider.list_since(datetime(2026, 1, 1, tzinfo=UTC))),
    "cancel": lambda provider: provider.cancel(ID),
    "secret": lambda provider: provider.webhook_secret(),
}
DEEP = b'{"detail":' + b"[" * 100_000


@pytest.mark.parametrize("call", CALLS)
@example(200, DEEP)
@example(429, DEEP)
@example(429, b'{"retry_after": ' + b"9" * 5000 + b"}")
@example(
    422, b'{"detail": "half \\ud83d \\u001b[2J", "invalid_fields": [{"field": ["\\ud83d"]}, 1, {}]}'
)
@given(st.sampled_from([200, 201, 202, 302, 400, 402, 403, 404, 422, 429, 500, 503]), BODIES)
def test_any_answer_is_read_or_refused(call: str, status: int, body: bytes) -> None:
    found = answered(CALLS[call], canned(httpx.Response(status, content=body)).provider())
    if not isinstance(found, VslError):
        assert found is None or isinstance(found, Prediction | list | str)
        return
    text = str(found)
    text.encode()
    assert not {c for c in text if c < " " and c not in "\t\n"}
    assert len(text) < 10_000
    if call == "create" and status < 300:
        assert isinstance(found, SubmissionUncertain)


def answered(call: Callable[[ReplicateProvider], Any], provider: ReplicateProvider) -> Any:
    try:
        return call(provider)
    except VslError as error:
        return error


def test_one_prediction_is_not_taken_for_another() -> None:
    other = {"id": "another", "status": "succeeded", "output": "https://x/a.png"}
    with pytest.raises(ProviderUnavailable, match="of another prediction"):
        canned(httpx.Response(200, json=other)).provider().get(ID)
