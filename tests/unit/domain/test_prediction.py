"""A prediction is read leniently, and its outcome fits everything that it travels through."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vsl.domain.predictions.output import output_urls
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus
from vsl.domain.predictions.provider_values import MOST_SECONDS

ID = "w4k2v9s1hdrm80cq3tzz5n7xye"
TEXT = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)
TIMES = ("created_at", "started_at", "completed_at")
FIELDS = ("output", "error", "logs", "metrics", "webhook", "data_removed", *TIMES)


def ended(**fields: Any) -> Outcome:
    body = {"id": ID, "status": "succeeded", **fields}
    return Outcome.of(Prediction.parse(body), "webhook")


@example({"metrics": {"predict_time": 10**400, "total_time": -0.0}})
@example({"error": "\ud83d", "logs": ["\x1b[0m"], "output": {"\ud83d": ["https://\ud83d"]}})
@example({"error": "\x08"})
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_answer_has_an_outcome_that_can_be_sent_and_kept(fields: dict[str, Any]) -> None:
    outcome = ended(**fields)
    text = json.dumps(outcome.document(), ensure_ascii=False, allow_nan=False)
    text.encode()
    kept = Outcome.from_document(json.loads(text))
    assert kept.document() == outcome.document()
    for seconds in (outcome.predict_time, outcome.total_time):
        assert seconds is None or 0 <= seconds <= MOST_SECONDS


@given(JSON)
def test_what_is_no_prediction_is_said_so(body: Any) -> None:
    with pytest.raises(ValueError, match=r"no JSON object|without"):
        Prediction.parse(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"id": "", "status": "failed"}, "without an id"),
        ({"id": "x" * 101, "status": "failed"}, "without an id"),
        ({"id": "a/b", "status": "failed"}, "without an id"),
        ({"id": [ID], "status": "failed"}, "without an id"),
        ({"id": ID}, "without a status"),
        ({"id": ID, "status": {}}, "without a status"),
    ],
)
def test_only_id_and_status_are_needed(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Prediction.parse(body)
    assert Prediction.parse({"id": ID, "status": "failed"}).status is PredictionStatus.FAILED


def test_an_unknown_status_has_not_ended() -> None:
    assert not Prediction.parse({"id": ID, "status": "paused"}).status.terminal


def test_what_is_left_out_is_told() -> None:
    prediction = Prediction.parse(
        {
            "id": ID,
            "status": "succeeded",
            "metrics": {"predict_time": -0.5, "total_time": math.inf},
            "started_at": "soon",
            "completed_at": "2026-03-01T12:00:05",
        }
    )
    assert prediction.implausible == ("predict_time -0.5", "total_time inf", "started_at str")
    assert prediction.completed_at == datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def test_only_files_of_a_prediction_that_succeeded_are_fetched() -> None:
    body = {"id": ID, "status": "canceled", "output": ["https://x/a.png"]}
    outcome = Outcome.of(Prediction.parse(body), "webhook")
    assert (outcome.output, outcome.output_count) == ((), 1)


def test_addresses_are_found_in_their_order() -> None:
    output = {"a": ["https://x/1", None, {"b": "HTTP://x/2"}], "c": "text", "d": 4, "e": "data:,x"}
    assert list(output_urls(output)) == ["https://x/1", "HTTP://x/2", "data:,x"]
    deep: Any = "https://x/deep"
    for _ in range(50_000):
        deep = [deep]
    assert list(output_urls(deep)) == ["https://x/deep"]
