"""GET /models and GET /models/{modelId}, as API Gateway calls them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.estimate_job import app as estimate_job
from functions.get_model import app as get_model
from functions.list_models import app as list_models
from tests.support.models import CATALOGUE_PATH, MODEL_IDS
from vsl.runtime.settings import settings


class _Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 3000


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "STAGE": "test",
        "API_AUTH": "API_KEY",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/test/",
        "MODELS_CONFIG": str(CATALOGUE_PATH),
        "ALLOW_HTTP_INPUTS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def _get_model(model_id: str) -> dict[str, Any]:
    response: dict[str, Any] = get_model.handler(
        {"pathParameters": {"modelId": model_id}}, _Context()
    )
    return response


def test_the_list() -> None:
    response = list_models.handler({}, _Context())

    assert response["statusCode"] == 200
    models = json.loads(response["body"])["models"]
    assert [model["modelId"] for model in models] == list(MODEL_IDS)
    assert "parameters" not in models[0]


def test_one_model() -> None:
    response = _get_model("stability-video")

    assert response["statusCode"] == 200
    body = json.loads(response["body"])
    assert body["mediaType"] == "video"
    assert body["parameters"]["required"] == ["image"]
    assert body["parameters"]["properties"]["image"]["pattern"] == "^(https://|data:|upload:)"


def test_an_unknown_model_is_a_problem() -> None:
    response = _get_model("stable-video")

    assert response["statusCode"] == 404
    problem = json.loads(response["body"])
    assert problem["code"] == "UnknownModel"
    assert "stability-video" in problem["detail"]


def test_a_broken_catalogue_stays_vague_towards_the_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODELS_CONFIG", '{"image": {}}')
    settings.cache_clear()

    response = list_models.handler({}, _Context())

    assert response["statusCode"] == 500
    assert "catalogue" not in response["body"]


def _estimate(model_id: str, body: str) -> dict[str, Any]:
    response: dict[str, Any] = estimate_job.handler(
        {"pathParameters": {"modelId": model_id}, "body": body}, _Context()
    )
    return response


def test_an_estimate_counts_what_is_asked_for() -> None:
    one = _estimate("flux-schnell", '{"parameters": {"prompt": "a fox"}}')
    four = _estimate("flux-schnell", '{"parameters": {"prompt": "a fox", "num_outputs": 4}}')

    assert one["statusCode"] == four["statusCode"] == 200
    cost = json.loads(one["body"])["estimatedCost"]
    assert cost == 0.003
    assert json.loads(four["body"])["estimatedCost"] == pytest.approx(4 * cost)
    assert json.loads(one["body"])["parameters"]["num_outputs"] == 1
    assert json.loads(one["body"])["estimatedTime"] > 0


@pytest.mark.parametrize(
    ("model_id", "body", "status", "code"),
    [
        ("flux-schnell", '{"parameters": {"width": 9999}}', 400, "InvalidParameters"),
        ("flux-schnell", '{"parameters": [1]}', 400, "InvalidRequest"),
        ("flux-schnell", "nothing", 400, "InvalidRequest"),
        ("flux-schnel", '{"parameters": {"prompt": "a fox"}}', 404, "UnknownModel"),
    ],
)
def test_no_estimate(model_id: str, body: str, status: int, code: str) -> None:
    response = _estimate(model_id, body)

    assert response["statusCode"] == status
    assert json.loads(response["body"])["code"] == code
