"""Replicate's stock Python client against a running stack: its base URL is all that was changed."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput
from replicate.prediction import Prediction
from replicate.webhook import InvalidSignatureError, Webhooks

from devstack.replicate.faults import PredictionFails, PredictionSlow
from tests.support.api import unique
from tests.support.media_files import image_file
from tests.support.receiver import receiver
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

SCHNELL = "black-forest-labs/flux-schnell"
SDXL = "stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
PNG = image_file("PNG")
VIDEO = "sunfjun/stable-video-diffusion:d68b6e09eedbac7a49e3d8644999d93579c386a083768235cabca88796d70d82"


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    yield from clients(stack)


@pytest.fixture
def another(stack: Stack) -> Iterator[Client]:
    yield from clients(stack, {"VSL-User": "another"})


def clients(stack: Stack, headers: dict[str, str] | None = None) -> Iterator[Client]:
    made = Client(
        "r8_any",
        base_url=base(stack),
        headers=headers or {},
        timeout=httpx.Timeout(None),  # a busy machine takes longer than the client would wait
        trust_env=False,
    )
    yield made
    made._client.close()


def base(stack: Stack) -> str:
    return f"{stack.document['apiUrl']}/replicate"


def test_run_gives_the_files_and_the_client_downloads_them(client: Client) -> None:
    prompt = unique("a lighthouse")
    (address,) = client.run(SCHNELL, input={"prompt": prompt, "aspect_ratio": "16:9"})
    # Locally an address is http, which the client leaves a text. It fetches one with its token.
    content = FileOutput(str(address), client).read()
    assert content[8:12] == b"WEBP"


def test_a_prediction_of_a_version_from_its_creation_to_its_end(client: Client) -> None:
    sent = {"prompt": unique("a corgi"), "width": 512, "num_outputs": 2}
    made = client.predictions.create(SDXL, input=sent)
    assert (made.status, made.output, made.input) == ("starting", None, sent)
    assert (made.model, made.version) == tuple(SDXL.split(":"))
    made.wait()
    assert made.status == "succeeded"
    again = client.predictions.get(made.id)
    assert again.input == sent, "without the defaults, as it was sent"
    assert isinstance(again.output, list)
    assert len(again.output) == 2
    assert again.metrics is not None
    assert again.metrics["predict_time"] > 0
    assert again.started_at
    assert again.completed_at
    assert "Using seed" in (again.logs or "")


def test_the_shape_of_the_output_is_the_models(client: Client) -> None:
    version = "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
    single = client.run(version, input={"prompt": unique("a fugue"), "duration": 2})
    assert isinstance(single, str)


def test_an_unfinished_wait_is_told_of_as_starting(stack: Stack, client: Client) -> None:
    prompt = unique("takes its time")
    stack.control.faults(
        PredictionSlow.model_validate({"match": {"prompt": prompt}, "running": 60})
    )
    made = client.models.predictions.create(SCHNELL, input={"prompt": prompt}, wait=1)
    assert (made.status, made.output) == ("starting", None)
    assert client.predictions.get(made.id).status in {"starting", "processing"}
    made.cancel()
    assert made.status == "canceled"
    made.reload()
    assert (made.status, made.error, made.output) == ("canceled", None, None)


def test_a_failure_is_a_model_error_with_the_models_words(stack: Stack, client: Client) -> None:
    prompt = unique("fails")
    fault = {"match": {"prompt": prompt}, "error": "the model is out of paint"}
    stack.control.faults(PredictionFails.model_validate(fault))
    with pytest.raises(ModelError) as raised:
        client.run(SCHNELL, input={"prompt": prompt})
    assert raised.value.prediction.error == "the model is out of paint"


def test_predictions_are_listed_newest_first_and_for_their_user_alone(
    client: Client, another: Client
) -> None:
    made = [
        client.models.predictions.create(SCHNELL, input={"prompt": unique(name)})
        for name in ("first", "second")
    ]
    listed = [each.id for each in client.predictions.list().results]
    assert listed[:2] == [made[1].id, made[0].id]
    assert not set(listed) & {each.id for each in another.predictions.list().results}
    for method, path in (("GET", ""), ("POST", "/cancel")):
        with pytest.raises(ReplicateError) as refused:
            another._request(method, f"/v1/predictions/{made[0].id}{path}")
        assert refused.value.status == 404


def test_models_and_versions_are_those_of_the_catalogue(client: Client) -> None:
    assert SCHNELL in {model.id for model in client.models.list()}
    model = client.models.get(SDXL.partition(":")[0])
    version = model.versions.get(SDXL.partition(":")[2])
    properties = version.openapi_schema["components"]["schemas"]["Input"]["properties"]
    assert {"prompt", "width", "scheduler"} <= properties.keys()
    assert [each.id for each in model.versions.list()] == [version.id]


def test_files_are_kept_and_taken_as_inputs(
    client: Client, another: Client, tmp_path: Path
) -> None:
    path = tmp_path / "lake.png"
    path.write_bytes(PNG)
    kept = client.files.create(path)
    assert (kept.name, kept.content_type, kept.size) == ("lake.png", "image/png", len(PNG))
    assert client.files.get(kept.id).checksums["sha256"] == kept.checksums["sha256"]
    assert kept.id in {each.id for each in client.files.list()}
    assert kept.id not in {each.id for each in another.files.list()}
    with pytest.raises(ReplicateError):
        another.files.get(kept.id)
    made = client.predictions.create(VIDEO, input={"input_image": kept.urls["get"]})
    assert made.input == {"input_image": kept.urls["get"]}
    made.wait()
    assert made.status == "succeeded", made.error
    with path.open("rb") as file:  # the client uploads it first
        assert client.run(VIDEO, input={"input_image": file, "video_length": "14_frames_with_svd"})
    assert client.files.delete(kept.id)
    with pytest.raises(ReplicateError):
        client.files.get(kept.id)


def test_a_file_of_another_user_is_no_input(client: Client, another: Client) -> None:
    kept = another.files.create(io.BytesIO(PNG), filename="theirs.png")
    with pytest.raises(ReplicateError) as refused:
        client.predictions.create(VIDEO, input={"input_image": kept.urls["get"]})
    assert refused.value.status == 422


@pytest.mark.parametrize("events", [None, ["start", "completed"]])
def test_webhooks_are_predictions_which_the_client_validates(client: Client, events: Any) -> None:
    with receiver() as server:
        path = f"/{unique('hook').replace(' ', '-')}"
        filtered = {} if events is None else {"webhook_events_filter": events}
        sent = {"prompt": unique("a bell")}
        made = client.models.predictions.create(
            SCHNELL, input=sent, webhook=server.origin + path, **filtered
        )
        received = server.wait(path, 1 if events is None else 2)
    secret = client.webhooks.default.secret()
    told = {}
    for each in received:
        Webhooks.validate(headers=each.headers, body=each.body.decode(), secret=secret)
        with pytest.raises(InvalidSignatureError):
            Webhooks.validate(headers=each.headers, body=each.body.decode() + " ", secret=secret)
        prediction = Prediction(**httpx.Response(200, content=each.body).json())
        told[prediction.status] = prediction
    assert told.keys() == ({"succeeded"} if events is None else {"processing", "succeeded"})
    assert {each.id for each in told.values()} == {made.id}
    assert told["succeeded"].input == sent
    assert told["succeeded"].output


def test_switches_of_the_provider_reach_it_but_for_its_safety_check(
    stack: Stack, client: Client
) -> None:
    prompt = unique("a quick lighthouse")
    switches = {"go_fast": False, "disable_safety_checker": False, "megapixels": "0.25"}
    assert client.run(SCHNELL, input={"prompt": prompt, **switches})
    (made,) = [each for each in stack.control.predictions() if each.input.get("prompt") == prompt]
    assert made.input.items() >= switches.items()


@pytest.mark.parametrize(
    ("reference", "given", "status", "told"),
    [
        (SCHNELL, {"prompt": "x", "disable_safety_checker": True}, 422, "true is not allowed"),
        (SCHNELL, {}, 422, "prompt is required"),
        (SCHNELL, {"prompt": "x", "aspect_ratio": "17:3"}, 422, "must be one of the following"),
        (SCHNELL, {"prompt": "x", "num_outputs": 9}, 422, "input.num_outputs"),
        (SCHNELL, {"prompt": "x", "unheard_of": 1}, 422, "unheard_of is not allowed"),
        ("nobody/nothing", {"prompt": "x"}, 404, "could not be found"),
        ("stability-ai/sdxl", {"prompt": "x"}, 404, "could not be found"),
        (f"nobody/nothing:{'0' * 64}", {"prompt": "x"}, 422, "does not exist"),
    ],
)
def test_refusals_are_the_providers(
    client: Client, reference: str, given: dict[str, Any], status: int, told: str
) -> None:
    with pytest.raises(ReplicateError) as refused:
        client.run(reference, input=given)
    assert refused.value.status == status
    assert told in str(refused.value.detail)


def test_many_at_once_do_not_wait_for_each_other(client: Client) -> None:
    """Each waits in a function for a workflow that needs functions itself."""

    def run(number: int) -> Any:
        return client.run(SCHNELL, input={"prompt": unique(f"number {number}")})

    assert client._client, "which threads would each make one of their own"
    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(run, range(12)))
