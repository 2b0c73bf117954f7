"""Models of many shapes, added to a running stack by their published schemas, run to the end."""

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, expect
from replicate.client import Client
from replicate.exceptions import ReplicateError
from typer.testing import CliRunner

from cli.main import app
from devstack.replicate.control import Control
from tests.support import web
from tests.support.api import unique
from tests.support.media_files import image_file
from tests.support.models import CATALOGUE_PATH
from tests.support.provider_fixtures import owner_and_name, provider_models
from tests.support.stack import Stack, vsl

pytestmark = pytest.mark.e2e

FIXTURES = {f"{each['owner']}/{each['name']}": each for each in provider_models()}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
PNG, MP4, MP3 = "image/png", "video/mp4", "audio/mpeg"
TEXT, JSON, OTHER = "text/plain", "application/json", "application/octet-stream"

# What is stored of each, by content type; and parameters beside those of the entry's example.
STORED: Mapping[str, tuple[list[str], dict[str, Any]]] = {
    "lumen-lab/aurora-sketch": (["image/webp"] * 2, {"num_outputs": 2}),
    "granite/nullable-portrait": ([PNG], {"steps": None}),
    "pixelforge/multi-edit": ([PNG], {"input_images": [PIXEL, PIXEL]}),
    "quartz/progress-painter": ([PNG] * 4, {}),
    "slate/seeded-list": ([PNG] * 2, {}),
    "meadow/reel-two": ([MP4], {"num_frames": 17, "width": 320, "height": 192}),
    "opal/reader": ([MP3], {}),
    "opal/transcriber": ([JSON], {}),
    "prairie/chat-small": ([TEXT], {}),
    "quarry/mesh-kit": (["model/gltf-binary", MP4, TEXT, PNG], {"images": [PIXEL]}),
    "quarry/dataset-zip": (["application/zip"], {}),
    "quarry/vector-draw": ([OTHER], {}),
    "slate/mixed-list": ([MP4, PNG, JSON], {}),
    "deployments/acme/portraits": ([PNG], {}),
}
FAMILIES_WITH_THUMBNAIL = {"image", "video", "audio"}


@dataclass(frozen=True, slots=True)
class Shop:
    """A stack with a catalogue of its own, in `catalogue`, and what was added to it."""

    stack: Stack
    catalogue: Path
    state: Path

    def entry(self, reference: str) -> tuple[str, dict[str, Any]]:
        """The id and the entry that `vsl models add` has written."""
        for models in json.loads(self.catalogue.read_text()).values():
            for name, entry in models.items():
                if entry["reference"].partition(":")[0] == reference:
                    return name, entry
        raise AssertionError(f"{reference} is not in the catalogue")

    def add(self, reference: str) -> None:
        where = ("--file", str(self.catalogue), "--state", str(self.state))
        done = CliRunner().invoke(app, ["models", "add", reference, *where])
        assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A running stack with a copy of the catalogue. Every model that was added is without a price."""
    state = tmp_path_factory.mktemp("shop")
    catalogue = tmp_path_factory.mktemp("catalogue") / "models.json"
    shutil.copy(CATALOGUE_PATH, catalogue)
    parameters = (f"ModelsConfig={catalogue}", "UnpricedModels=ALLOWED")
    options = [word for each in parameters for word in ("--parameter", each)]
    with ExitStack() as ending:
        ending.callback(vsl, "down", state=state)
        printed = vsl("up", "--detach", "--json", "--speed", "0.02", *options, state=state)
        shop = Shop(Stack(json.loads(printed)), catalogue, state)
        ending.callback(shop.stack.close)
        control = shop.stack.control
        control.offer_model("granite", "nullable-portrait", FIXTURES["granite/nullable-portrait"])
        control.deploy("acme", "portraits", "granite/nullable-portrait")
        for reference in STORED:
            if reference in FIXTURES:
                control.offer_model(*owner_and_name(reference), FIXTURES[reference])
            shop.add(reference)
        yield shop


@pytest.fixture
def stack(shop: Shop) -> Stack:
    """In the place of the stack that all others share."""
    return shop.stack


@pytest.fixture(scope="module")
def jobs(shop: Shop) -> dict[str, dict[str, Any]]:
    """The finished job of each model, by reference."""

    def run(reference: str) -> dict[str, Any]:
        name, entry = shop.entry(reference)
        example = {key: _local(value) for key, value in entry["example"].items()}
        parameters = {**example, **STORED[reference][1]}
        return shop.stack.api.run(name, parameters, user_id=name)

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(STORED, pool.map(run, STORED), strict=True))


def _local(value: Any) -> Any:
    return PIXEL if isinstance(value, str) and value.startswith("https://") else value


def prediction_of(control: Control, status: Mapping[str, Any]) -> Any:
    return control.prediction(status["replicateId"])


@pytest.mark.parametrize("reference", STORED)
def test_what_a_model_makes_is_stored_as_what_it_is(
    shop: Shop, jobs: Mapping[str, dict[str, Any]], reference: str
) -> None:
    status = jobs[reference]
    wanted = STORED[reference][0]

    assert status["status"] == "succeeded", status
    outputs = status["outputs"]
    assert [each["contentType"] for each in outputs] == wanted
    for output in outputs:
        content = web.get(output["originalUrl"])
        assert content.status_code == 200
        assert len(content.content) == output["fileSize"]
        family = output["contentType"].partition("/")[0]
        assert bool(output.get("thumbnailUrl")) is (family in FAMILIES_WITH_THUMBNAIL)


def test_a_text_is_stored_as_one_text(shop: Shop, jobs: Mapping[str, dict[str, Any]]) -> None:
    status = jobs["prairie/chat-small"]
    said = prediction_of(shop.stack.control, status).output

    (output,) = status["outputs"]
    stored = web.get(output["originalUrl"]).content.decode()

    assert PurePosixPath(output["s3Path"]).suffix == ".txt"
    assert stored == "".join(said)


def test_a_value_is_stored_as_one_json_file(shop: Shop, jobs: Mapping[str, dict[str, Any]]) -> None:
    status = jobs["opal/transcriber"]

    (output,) = status["outputs"]
    stored = web.get(output["originalUrl"]).json()

    assert PurePosixPath(output["s3Path"]).suffix == ".json"
    assert stored == prediction_of(shop.stack.control, status).output


def test_added_models_are_in_the_api_at_once(shop: Shop) -> None:
    answer = web.get(f"{shop.stack.api.url}/models").json()

    listed = {each["modelId"] for each in answer["models"]}
    assert {shop.entry(reference)[0] for reference in STORED} <= listed


def test_a_deployment_runs_by_replicates_own_client(shop: Shop) -> None:
    """Nothing but the client's base URL says that this is not the provider."""
    address = f"{shop.stack.document['apiUrl']}/replicate"
    client = Client("r8_any", base_url=address, trust_env=False)
    known = client.deployments.get("acme/portraits")
    assert [each.id for each in client.deployments.list()] == [known.id] == ["acme/portraits"]
    sent = {"prompt": unique("an old sailor"), "negative_prompt": None}
    by_name = client.deployments.predictions.create("acme/portraits", input=sent)
    from_it = known.predictions.create(input=sent)
    assert by_name.id != from_it.id
    for made in (by_name, from_it):
        made.wait()
        assert (made.status, made.input) == ("succeeded", sent), made.error
        content = web.get(str(made.output)).content
        assert content.startswith(b"\x89PNG")
        shown = client._request("GET", f"/v1/predictions/{made.id}").json()
        assert shown["deployment"] == "acme/portraits"
        ran = prediction_of(shop.stack.control, shop.stack.api.status(made.id))
        assert ran.model == "granite/nullable-portrait"
    for name in ("acme/landscapes", "granite/nullable-portrait"):
        for ask in (
            partial(client.deployments.get, name),
            partial(client.deployments.predictions.create, name, input=sent),
        ):
            with pytest.raises(ReplicateError) as refused:
                ask()
            assert refused.value.status == 404
    with pytest.raises(ReplicateError):  # it is no model
        client.models.predictions.create("acme/portraits", input=sent)
    client._client.close()


def test_what_the_stand_in_does_not_know_fails_at_its_submission(shop: Shop) -> None:
    reference = "lumen-lab/aurora-sketch-pro"
    shop.stack.control.offer_model(*owner_and_name(reference), FIXTURES[reference])
    shop.add(reference)
    shop.stack.control.withdraw_model(*owner_and_name(reference))

    status = shop.stack.api.run(shop.entry(reference)[0], {"prompt": "a lake"})

    assert (status["status"], status["errorCode"]) == ("failed", "ProviderRejected")
    assert "404" in status["error"]


def test_a_user_who_may_not_run_unpriced_models_is_told_so(shop: Shop) -> None:
    """The row in user_limits goes before what the deployment allows."""
    user = unique("thrifty").replace(" ", "-")
    with psycopg.connect(shop.stack.database_url) as connection:
        connection.execute(
            "INSERT INTO user_limits (user_id, unpriced_models) VALUES (%s, false)", [user]
        )
    name, _ = shop.entry("prairie/chat-small")
    estimate = f"{shop.stack.api.url}/models/{name}/estimate"
    body = {"userId": user, "parameters": {"prompt": "a fox"}}
    foreseen = web.post(estimate, json=body).json()
    assert (foreseen["estimatedCost"], foreseen["wouldHold"]) == (None, "0")
    assert (foreseen["admitted"], foreseen["refusedBy"]["of"]) == (False, "unpriced")

    refused = shop.stack.api.generate(name, {"prompt": "a fox"}, user_id=user)

    assert refused.status_code == 403
    problem = refused.json()
    assert (problem["code"], problem["modelId"]) == ("UnpricedModel", name)


def test_the_console_takes_lists_and_shows_texts(
    shop: Shop, browser: Browser, tmp_path: Path
) -> None:
    (writer, _), (editor, _) = map(shop.entry, ("prairie/chat-small", "pixelforge/multi-edit"))
    file = tmp_path / "second.png"
    file.write_bytes(image_file("PNG", 64, 48))
    context = browser.new_context(base_url=f"{shop.stack.api.url}/")
    context.add_init_script("localStorage.setItem('vsl.userId', 'reader')")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"console/index.html#/playground?model={writer}")
    page.locator("#parameter-prompt").fill("a fox")
    expect(page.get_by_text("Cost not known and")).to_be_visible()
    page.get_by_role("button", name="Generate").click()
    text = page.locator("pre.text")
    expect(text).to_be_visible(timeout=60_000)
    expect(text).not_to_have_text("Loading …")
    link = str(page.get_by_role("link", name="Download").get_attribute("href"))
    stored = web.get(link).content.decode()
    assert text.text_content() == stored

    page.goto(f"console/index.html#/playground?model={editor}")
    images = page.locator("#parameter-input_images")
    # First what the form of the model before has not: it has a prompt, too.
    images.fill(PIXEL)
    page.locator("#parameter-prompt").fill("blend them")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a file").click()
    chooser.value.set_files(file)
    expect(page.get_by_text("second.png is there.")).to_be_visible()
    lines = images.input_value().split("\n")
    assert lines[0] == PIXEL
    assert lines[1].startswith("upload:")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".media img")).to_be_visible(timeout=60_000)
    context.close()
    assert not complaints
