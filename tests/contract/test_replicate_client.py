"""The real `replicate` client from PyPI works against the stand-in, unmodified."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput
from replicate.pagination import paginate
from replicate.webhook import WebhookSigningSecret, WebhookValidationError

from devstack.replicate.faults import CreateFails, PredictionFails, PredictionSlow
from tests.support.stand_in import (
    SCHNELL,
    SDXL,
    SECRET,
    SVD,
    DeliveryHost,
    StandIn,
    real_client,
    receiver,
    stand_in,
)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in(delivery_url="https://replicate.delivery") as running:
        yield running


@pytest.fixture
def client(server: StandIn) -> Iterator[Client]:
    server.control.reset()
    with real_client(server.url, transport=DeliveryHost(server.url)) as client:
        yield client


def test_run_returns_files_that_can_be_read(client: Client) -> None:
    output: Any = client.run(
        SCHNELL, input={"prompt": "a lake", "num_outputs": 2, "output_format": "png"}
    )

    assert [type(item) for item in output] == [FileOutput, FileOutput]
    assert str(output[1]).startswith("https://replicate.delivery/pbxt/")
    assert str(output[1]).endswith("/out-1.png")
    picture = Image.open(io.BytesIO(output[1].read()))
    assert (picture.format, picture.size) == ("PNG", (1024, 1024))


def test_run_of_a_pinned_version_polls_when_told_not_to_wait(client: Client) -> None:
    output: Any = client.run(
        SDXL, input={"prompt": "a lake", "width": 256, "height": 128}, wait=False
    )

    assert Image.open(io.BytesIO(output[0].read())).size == (256, 128)


def test_run_of_a_model_with_an_object_as_output(client: Client) -> None:
    bark = client.models.get("suno-ai", "bark")
    assert bark.latest_version is not None
    reference = f"suno-ai/bark:{bark.latest_version.id}"

    output: Any = client.run(reference, input={"prompt": "Hello there.", "output_full": True})

    assert sorted(output) == ["audio_out", "prompt_npz"]
    assert output["audio_out"].read()[:4] == b"RIFF"


def test_create_and_wait(server: StandIn, client: Client) -> None:
    prediction = client.predictions.create(
        version=SDXL.partition(":")[2], input={"prompt": "a lake", "width": 64, "height": 64}
    )

    assert prediction.status == "starting"
    assert prediction.output is None

    prediction.wait()

    assert prediction.dict()["status"] == "succeeded"
    assert prediction.progress is not None
    assert prediction.progress.percentage == 1.0
    assert prediction.logs is not None
    assert "Prompt: a lake" in prediction.logs
    assert prediction.metrics is not None
    assert prediction.metrics["predict_time"] > 0


def test_a_blocking_create_brings_the_output(client: Client) -> None:
    prediction = client.models.predictions.create(SCHNELL, {"prompt": "a lake"}, wait=True)

    assert prediction.status in {"processing", "succeeded"}
    assert isinstance(prediction.output, list)


def test_a_failed_prediction_raises_its_error(server: StandIn, client: Client) -> None:
    server.control.faults(PredictionFails(error="Prediction interrupted; please retry (code: PA)"))

    with pytest.raises(ModelError, match=r"code: PA"):
        client.run(SCHNELL, input={"prompt": "a lake"})


def test_invalid_input_raises_the_problem(client: Client) -> None:
    with pytest.raises(ReplicateError) as refused:
        client.run(SCHNELL, input={"num_inference_steps": 50})

    assert refused.value.status == 422
    assert refused.value.title == "Input validation failed"
    assert refused.value.detail == (
        "- input: prompt is required\n"
        "- input.num_inference_steps: Must be less than or equal to 4\n"
    )


def test_a_wrong_token_raises_the_problem(server: StandIn) -> None:
    stranger = Client(api_token="r8_stranger", base_url=server.url)

    with pytest.raises(ReplicateError) as refused:
        stranger.accounts.current()
    stranger._client.close()

    assert (refused.value.status, refused.value.title) == (401, "Unauthenticated")


def test_a_post_is_never_repeated_by_the_client(server: StandIn, client: Client) -> None:
    server.control.faults(CreateFails(status=429, retry_after=1, times=1))

    with pytest.raises(ReplicateError, match="throttled"):
        client.run(SCHNELL, input={"prompt": "a lake"})

    assert server.control.predictions() == []


def test_list_goes_through_pages_newest_first(server: StandIn, client: Client) -> None:
    server.control.faults(PredictionFails())
    created = [
        client.models.predictions.create(SCHNELL, {"prompt": f"number {n}"}).id for n in range(205)
    ]

    pages = list(paginate(client.predictions.list))

    assert [len(page) for page in pages] == [100, 100, 5]
    assert [item.id for page in pages for item in page] == created[::-1]
    assert pages[0].previous is None
    assert pages[1].previous is not None
    assert client.predictions.list(pages[1].previous).results[0].id == created[-1]


def test_cancel(server: StandIn, client: Client) -> None:
    server.control.faults(PredictionSlow(running=30))
    prediction = client.models.predictions.create(SCHNELL, {"prompt": "a lake"})

    prediction.cancel()

    assert prediction.status == "canceled"
    prediction.reload()
    assert prediction.status == "canceled"
    assert prediction.output is None
    assert prediction.completed_at is not None


def test_files_are_uploaded_listed_used_and_deleted(client: Client) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (320, 320), "teal").save(picture, "PNG")

    uploaded = client.files.create(picture, filename="teal.png", metadata={"job": 1})

    assert (uploaded.name, uploaded.content_type) == ("teal.png", "image/png")
    assert uploaded.size == len(picture.getvalue())
    assert uploaded.metadata == {"job": 1}
    assert [file.id for file in client.files.list()] == [uploaded.id]
    assert client.files.get(uploaded.id).checksums == uploaded.checksums

    picture.name = "teal.png"
    output: Any = client.run(SVD, input={"input_image": picture})

    assert output.read()[4:8] == b"ftyp"
    assert client.files.delete(uploaded.id)
    with pytest.raises(ReplicateError, match="File not found"):
        client.files.get(uploaded.id)


def test_models_versions_and_account(client: Client) -> None:
    model = client.models.get("stability-ai/sdxl")
    version = model.versions.get(SDXL.partition(":")[2])
    inputs = version.openapi_schema["components"]["schemas"]["Input"]["properties"]

    assert inputs["num_outputs"]["maximum"] == 4
    assert [item.id for item in model.versions.list()] == [version.id]
    assert len(client.models.list().results) == 10
    assert client.accounts.current().type == "organization"


def test_webhooks_validate_with_the_secret_the_api_gives(server: StandIn, client: Client) -> None:
    secret = client.webhooks.default.secret()
    assert secret.key == SECRET

    with receiver() as inbox:
        client.models.predictions.create(
            SCHNELL,
            {"prompt": "quotes \" and 'emoji' 🦊"},
            webhook=inbox.url,
            webhook_events_filter=["completed"],
        )
        [webhook] = inbox.wait(1)

    body = webhook.body.decode()

    def validate(body: str, secret: WebhookSigningSecret) -> None:
        client.webhooks.validate(headers=webhook.headers, body=body, secret=secret, tolerance=60)

    validate(body, secret)
    with pytest.raises(WebhookValidationError):
        validate(body + " ", secret)
    with pytest.raises(WebhookValidationError):
        validate(body, WebhookSigningSecret(key="whsec_" + "A" * 32))
