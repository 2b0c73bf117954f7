"""`vsl models add`, `check`, `update` and `remove` against a running stand-in."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.main import app
from cli.models import provider, stores
from devstack.paths import HARDWARE_CONFIG, MODELS_CONFIG, REPOSITORY
from tests.support.documents import rows
from tests.support.provider_fixtures import ProviderModel, provider_models
from tests.support.stand_in import TOKEN, StandIn, stand_in
from vsl.adapters.aws.catalogue import load_catalogue
from vsl.adapters.aws.packed_catalogue import read_text, store

FIXTURES = {f"{each['owner']}/{each['name']}": each for each in provider_models()}
MESH, STREAM, SKETCH = "quarry/mesh-maker", "prairie/chat-small", "lumen-lab/aurora-sketch"
SSM = "/vsl/homolog/models"


def offer(server: StandIn, model: ProviderModel, **more: Any) -> None:
    keys = ("official", "description", "version", "openapi_schema", "default_example")
    body = {key: model[key] for key in keys if key in model} | more  # type: ignore[literal-required]
    server.control.offer_model(model["owner"], model["name"], body)


def withdraw(server: StandIn, reference: str) -> None:
    with suppress(httpx.HTTPStatusError):
        server.control.withdraw_model(*reference.split("/"))


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@dataclass(slots=True)
class Shell:
    """The command line on a catalogue of its own."""

    file: Path
    source: tuple[str, ...] = ("--from", "replicate")

    def __call__(self, *words: str, where: bool = True) -> Result:
        local = ["--file", str(self.file)] if where else []
        origin = list(self.source) if where and words[0] != "remove" else []
        return CliRunner().invoke(app, ["models", *words, *origin, *local])

    def answer(self, *words: str, exit_code: int = 0, where: bool = True) -> Any:
        shown = self(*words, "--json", where=where)
        assert shown.exit_code == exit_code, shown.output
        assert shown.stderr == ""
        return json.loads(shown.stdout)

    @property
    def catalogue(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found


@pytest.fixture
def vsl(server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name in (MESH, STREAM, SKETCH):
        withdraw(server, name)
        offer(server, FIXTURES[name])
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    monkeypatch.setenv("REPLICATE_API_URL", f"{server.url}/v1")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(provider, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(provider, "running_stack", lambda _state: None)
    file = tmp_path / "models.json"
    file.write_text(MODELS_CONFIG.read_text())
    return Shell(file)


def test_a_model_is_added_once_and_functions_can_read_it(vsl: Shell) -> None:
    added = vsl.answer("add", MESH, "--hardware", "a100-80")

    assert added["verdict"] == "added"
    assert added["entry"]["price"] == {
        "unit": "gpu_second", "hardware": "gpu-a100-large", "predictTime": 12,
    }  # fmt: skip
    assert vsl.catalogue["file"]["mesh-maker"] == added["entry"]
    chosen = load_catalogue(str(vsl.file), str(HARDWARE_CONFIG)).find("mesh-maker")
    assert chosen.reference == f"{MESH}:{FIXTURES[MESH]['version']}"
    before = vsl.file.read_text()
    again = vsl.answer("add", MESH, "--hardware", "a100-80")
    assert (again["verdict"], again["written"]) == ("unchanged", None)
    assert vsl.file.read_text() == before
    assert before.startswith(MODELS_CONFIG.read_text().rstrip("}\n "))


def test_what_was_understood_is_shown(vsl: Shell) -> None:
    shown = vsl("add", SKETCH, "--price", "0.01", "--unit", "image", "--count", "num_outputs")

    assert shown.exit_code == 0, shown.output
    for part in (
        "lumen-lab/aurora-sketch: official, runs by name",
        "image: a list of files (list)",
        "$0.01 an image, counted by num_outputs",
        "1 to 4",
        "webp | jpg | png",
        "--media",
        "Added as image.aurora-sketch in",
        "generate aurora-sketch --prompt",
    ):
        assert part in shown.output, part
    assert "x-order" not in shown.output


def test_a_dry_run_writes_nothing(vsl: Shell) -> None:
    before = vsl.file.read_text()

    shown = vsl("add", STREAM, "--dry-run")

    assert "Nothing was written" in shown.output
    assert "none: refused unless unpriced models are allowed" in shown.output
    assert vsl.file.read_text() == before


def test_a_deployment_is_added_by_its_name(vsl: Shell, server: StandIn) -> None:
    server.control.deploy("acme", "live", MESH)

    shown = vsl("add", "deployments/acme/live", "--id", "mesh-live")

    assert "deployments/acme/live: a deployment, version" in shown.output
    assert "--hardware" in shown.stderr
    assert vsl.catalogue["file"]["mesh-live"]["reference"] == "deployments/acme/live"
    assert vsl.answer("check", "mesh-live")["changed"] == 0


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("lyric-works/scene-graph", ["scene"]),
        ("ember/private-weights", ["hf_token"]),
        ("lyric-works/no-output", [None]),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(
    vsl: Shell, server: StandIn, model: str, inputs: list[str | None]
) -> None:
    offer(server, FIXTURES[model])
    before = vsl.file.read_text()

    error = vsl.answer("add", model, exit_code=2)["error"]

    assert error["code"] == "ModelNotServed"
    assert [each["input"] for each in error["reasons"]] == inputs
    assert all(name in error["message"] for name in inputs if name)
    assert vsl.file.read_text() == before


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("add", "no/such"), "ModelNotFound", 3),
        (("add", "nonsense"), "InvalidReference", 2),
        (("add", MESH, "--price", "1"), "InvalidOption", 2),
        (("add", MESH, "--range", "seed=a"), "InvalidOption", 2),
        (("add", MESH, "--input-media", "image=film"), "InvalidOption", 2),
        (("add", MESH, "--hardware", "abacus"), "UnknownHardware", 2),
        (("add", MESH, "--range", "nothing=1..2"), "InvalidEntry", 2),
        (("add", MESH, "--id", "sdxl"), "IdTaken", 2),
        (("add", MESH, "--id", "No Id"), "InvalidEntry", 2),
        (("check", "mesh"), "UnknownModel", 2),
        (("update",), "NoModel", 2),
        (("update", "sdxl", "--all"), "NoModel", 2),
        (("remove", "sdx"), "UnknownModel", 2),
    ],
)
def test_an_error_says_what_to_do(
    vsl: Shell, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    error = vsl.answer(*words, exit_code=exit_code)["error"]

    assert error["code"] == code
    assert vsl.file.read_text() == MODELS_CONFIG.read_text()


def test_a_token_that_is_refused_or_missing(vsl: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_wrong")
    assert vsl.answer("add", MESH, exit_code=4)["error"]["code"] == "TokenRefused"
    monkeypatch.delenv("REPLICATE_API_TOKEN")
    assert vsl.answer("add", MESH, exit_code=4)["error"]["code"] == "NoProvider"


def test_an_entry_that_says_otherwise_is_not_overwritten_unless_asked(vsl: Shell) -> None:
    vsl.answer("add", MESH)

    error = vsl.answer("add", MESH, "--price", "0.2", "--unit", "run", exit_code=2)["error"]
    assert (error["code"], error["differs"]) == ("AlreadyAdded", ["price"])
    replaced = vsl.answer("add", MESH, "--price", "0.2", "--unit", "run", "--replace")
    assert replaced["verdict"] == "replaced"
    assert vsl.catalogue["file"]["mesh-maker"]["price"] == {"unit": "run", "amount": "0.2"}
    vsl.answer("add", MESH, "--id", "mesh-maker-2", "--media", "image")
    assert list(vsl.catalogue["image"])[-1] == "mesh-maker-2"


def newer(model: ProviderModel) -> dict[str, Any]:
    schema = deepcopy(model["openapi_schema"])
    inputs = schema["components"]["schemas"]["Input"]
    inputs["properties"]["texture_resolution"] |= {"maximum": 2048}
    inputs["properties"]["quality"] = {"type": "string", "x-order": 9}
    del inputs["properties"]["remesh"]
    return {"openapi_schema": schema, "version": "f" * 64, "official": model["official"]}


def test_a_newer_version_is_seen_and_taken_over(vsl: Shell, server: StandIn) -> None:
    vsl.answer("add", MESH, "--hardware", "gpu-t4")
    assert vsl.answer("check", "mesh-maker")["changed"] == 0
    offer(server, FIXTURES[MESH], **newer(FIXTURES[MESH]))

    (found,) = vsl.answer("check", "mesh-maker", exit_code=1)["models"]
    assert [(each["kind"], each["input"], each["breaks"]) for each in found["changes"]] == [
        ("version", None, None),
        ("input", "texture_resolution", "update"),
        ("input", "remesh", "update"),
        ("new", "quality", None),
    ]
    assert "refused once updated" in vsl("check").stdout
    before = vsl.file.read_text()
    assert "Nothing was written" in vsl("update", "--all", "--dry-run").stderr
    assert vsl.file.read_text() == before

    shown = vsl("update", "--all")

    assert shown.exit_code == 0, shown.output
    assert "Updated mesh-maker in" in shown.stderr
    entry = vsl.catalogue["file"]["mesh-maker"]
    assert entry["reference"] == f"{MESH}:{'f' * 64}"
    assert entry["parameters"]["texture_resolution"]["maximum"] == 2048
    assert list(entry["parameters"]) == ["image", "texture_resolution", "quality"]
    assert entry["price"]["hardware"] == "gpu-t4"
    assert "Nothing changed" in vsl("update", "mesh-maker").stderr
    assert vsl("check").exit_code == 0


def test_an_official_model_that_changes_is_felt_at_once(vsl: Shell, server: StandIn) -> None:
    model = FIXTURES[SKETCH]
    vsl.answer("add", SKETCH)
    schema = deepcopy(model["openapi_schema"])
    schema["components"]["schemas"]["Input"]["properties"]["num_outputs"]["maximum"] = 2
    offer(server, model, openapi_schema=schema, version="e" * 64)

    found = vsl.answer("check", "aurora-sketch", exit_code=1)["models"][0]["changes"]

    assert ("num_outputs", "now") in [(each["input"], each["breaks"]) for each in found]


def test_a_model_that_is_gone_is_said_and_can_be_removed(vsl: Shell, server: StandIn) -> None:
    vsl.answer("add", MESH)
    withdraw(server, MESH)

    (found,) = vsl.answer("check", "mesh-maker", exit_code=1)["models"]
    assert found["gone"] is True
    assert "models remove mesh-maker" in vsl("update", "mesh-maker").stderr
    assert "Nothing was written" in vsl("remove", "mesh-maker", "--dry-run").stderr
    assert vsl.answer("remove", "mesh-maker")["written"] == str(vsl.file)
    assert vsl.file.read_text() == MODELS_CONFIG.read_text()


def test_the_hand_written_models_agree_with_what_is_published(vsl: Shell) -> None:
    assert vsl.answer("check")["changed"] == 0
    assert "Nothing changed of 10 models" in vsl("update", "--all").stderr
    assert vsl.file.read_text() == MODELS_CONFIG.read_text()


def test_the_last_model_stays(vsl: Shell) -> None:
    one = {"image": {"sdxl": vsl.catalogue["image"]["sdxl"]}}
    vsl.file.write_text(json.dumps(one))

    assert vsl.answer("remove", "sdxl", exit_code=2)["error"]["code"] == "LastModel"


def test_the_stand_in_learns_what_is_read_from_the_provider(
    vsl: Shell, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.control.deploy("acme", "taught", MESH)
    with stand_in() as local:
        document = {"replicateUrl": local.url, "replicateToken": TOKEN}
        monkeypatch.setattr(provider, "running_stack", lambda _state: document)
        stacked = Shell(vsl.file, ())
        error = stacked.answer("add", STREAM, exit_code=3)["error"]
        assert error["code"] == "ModelNotFound"
        assert "--from replicate" in error["hint"]

        shown = vsl("add", STREAM)

        assert "The stand-in of the local stack has the model, too." in shown.stderr
        assert stacked.answer("add", STREAM)["verdict"] == "unchanged"
        assert vsl("add", "deployments/acme/taught", "--id", "taught").exit_code == 0
        release = local.http.get("/v1/deployments/acme/taught").json()["current_release"]
        assert release["version"] == FIXTURES[MESH]["version"]
        assert local.post("/deployments/acme/taught/predictions", {"input": {}}).status_code == 422


@pytest.fixture
def stage(vsl: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A stage whose catalogue is in SSM and whose provider is the stand-in."""
    parameters = {"ModelsConfig": f"ssm:{SSM}", "ReplicateApiUrl": _address(vsl, monkeypatch)}
    for module in (provider, stores):
        monkeypatch.setattr(module, "stack_facts", lambda _stage: ({}, parameters))
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        ssm = boto3.client("ssm")
        ssm.put_parameter(Name="/vsl/homolog/replicate-token", Type="SecureString", Value=TOKEN)
        store(ssm, SSM, vsl.file.read_text())
        yield ssm


def _address(vsl: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    address = os.environ["REPLICATE_API_URL"]
    for name in ("REPLICATE_API_URL", "REPLICATE_API_TOKEN"):
        monkeypatch.delenv(name)
    return address


def test_a_stage_has_its_catalogue_in_ssm(vsl: Shell, stage: Any) -> None:
    def stored() -> Any:
        value = stage.get_parameter(Name=SSM)["Parameter"]["Value"]
        return json.loads(read_text(stage, SSM, value) or "")

    added = vsl.answer("add", MESH, "--stage", "homolog", where=False)

    assert added["written"] == f"ssm:{SSM}"
    assert stored()["file"]["mesh-maker"] == added["entry"]
    assert vsl.answer("add", MESH, "--stage", "homolog", where=False)["verdict"] == "unchanged"
    assert vsl.answer("check", "--stage", "homolog", where=False)["changed"] == 0
    vsl.answer("remove", "mesh-maker", "--stage", "homolog", where=False)
    assert stored() == json.loads(MODELS_CONFIG.read_text())
    assert vsl.file.read_text() == MODELS_CONFIG.read_text()
    both = vsl.answer("add", MESH, "--stage", "homolog", exit_code=2)
    assert both["error"]["code"] == "TwoTargets"


def test_the_picture_of_the_document_is_what_is_printed_today(tmp_path: Path) -> None:
    script = REPOSITORY / "docs" / "pictures" / "adding.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    committed, new = (rows(folder / "adding.svg") for folder in (script.parent, tmp_path))
    assert committed == new, "run docs/pictures/adding.py and commit what it writes"
    assert len(committed) > 20
