"""GET /models and GET /models/{modelId}, as API Gateway calls them."""

import json

import pytest

from functions.estimate_job import app as estimate_job
from functions.get_model import app as get_model
from functions.list_models import app as list_models
from tests.support.lambda_context import Context
from tests.support.models import CATALOGUE_PATH, MODEL_IDS
from vsl.runtime.handler import Response
from vsl.runtime.settings import settings


@pytest.fixture(autouse=True)
def _catalogue(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_CONFIG", str(CATALOGUE_PATH))
    monkeypatch.setenv("ALLOW_HTTP_INPUTS", "false")


def _get_model(model_id: str) -> Response:
    return get_model.handler({"pathParameters": {"modelId": model_id}}, Context())


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, 200), ({"token_use": "access"}, 403), ({"aud": "app-2"}, 403), ({"sub": ""}, 403)],
)
def test_a_token_for_something_else_is_refused_where_no_user_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], status: int
) -> None:
    monkeypatch.setenv("API_AUTH", "COGNITO")
    monkeypatch.setenv("COGNITO_CLIENT_IDS", "app-1")
    settings.cache_clear()
    claims = {"sub": "token-user", "aud": "app-1", "token_use": "id", **change}
    event = {
        "requestContext": {"authorizer": {"claims": claims}},
        "pathParameters": {"modelId": "flux-schnell"},
        "body": json.dumps({"parameters": {"prompt": "x"}}),
    }
    for handler in (list_models.handler, get_model.handler, estimate_job.handler):
        answer = handler(event, Context())
        assert answer["statusCode"] == status, answer["body"]


def test_the_list() -> None:
    response = list_models.handler({}, Context())
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

    response = list_models.handler({}, Context())

    assert response["statusCode"] == 500
    assert "catalogue" not in response["body"]


def _estimate(model_id: str, body: str) -> Response:
    return estimate_job.handler({"pathParameters": {"modelId": model_id}, "body": body}, Context())


def test_an_estimate_counts_what_is_asked_for() -> None:
    one = _estimate("flux-schnell", '{"parameters": {"prompt": "a fox"}}')
    four = _estimate("flux-schnell", '{"parameters": {"prompt": "a fox", "num_outputs": 4}}')

    assert one["statusCode"] == four["statusCode"] == 200
    cost = json.loads(one["body"])["estimatedCost"]
    assert cost == "0.003"
    assert json.loads(four["body"])["estimatedCost"] == "0.012"
    assert json.loads(one["body"])["parameters"]["num_outputs"] == 1
    assert json.loads(one["body"])["estimatedTime"] > 0


@pytest.mark.parametrize(
    ("model_id", "body", "status", "code"),
    [
        ("flux-schnell", '{"parameters": {"width": 9999}}', 400, "InvalidParameters"),
        ("flux-schnell", '{"parameters": [1]}', 400, "InvalidRequest"),
        ("flux-schnell", "nothing", 400, "InvalidRequest"),
        ("flux-schnell", '{"parameters": {"prompt": "half \\ud83d"}}', 400, "InvalidRequest"),
        ("flux-schnell", '{"parameters": {"num_outputs": 1e400}}', 400, "InvalidRequest"),
        ("flux-schnel", '{"parameters": {"prompt": "a fox"}}', 404, "UnknownModel"),
    ],
)
def test_no_estimate(model_id: str, body: str, status: int, code: str) -> None:
    response = _estimate(model_id, body)

    assert response["statusCode"] == status
    assert json.loads(response["body"])["code"] == code
