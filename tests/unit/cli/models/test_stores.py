"""Where the catalogue is kept: nobody's change is lost, and a catalogue with a mistake is not written."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.client.errors import CommandError, Exit
from cli.models import stores
from cli.models.catalogue_text import put_entry, remove_entry
from cli.models.hardware import rates
from cli.models.stores import FileStore, StageStore, stage_store
from cli.models.translation.entry import Options
from cli.models.translation.prices import PriceOptions
from devstack.paths import MODELS_CONFIG
from tests.support.published import proposal, published
from vsl.adapters.aws.packed_catalogue import pack, part_names, read_text

SHIPPED = MODELS_CONFIG.read_text()
RATES = rates()
NAME = "/vsl/homolog/models"
ENTRY = proposal(published(), options=Options(price=PriceOptions(hardware="gpu-t4"))).entry


def adding(name: str) -> stores.Edit:
    return lambda text: put_entry(text, "image", name, ENTRY)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.json"
    path.write_text(SHIPPED)
    path.chmod(0o640)
    return path


def test_a_file_is_replaced_as_a_whole(file: Path) -> None:
    store = FileStore(file, RATES)

    assert store.change(adding("mine"))
    assert not store.change(adding("mine"))

    assert "mine" in json.loads(file.read_text())["image"]
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["models.json"]


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)

    FileStore(link, RATES).change(adding("mine"))

    assert link.is_symlink()
    assert "mine" in file.read_text()


def test_what_somebody_wrote_into_the_file_meanwhile_stays(file: Path) -> None:
    other = [adding("other")]

    def edit(text: str) -> str:
        if other:
            file.write_text(other.pop()(file.read_text()))
        return adding("mine")(text)

    FileStore(file, RATES).change(edit)

    assert {"mine", "other"} <= json.loads(file.read_text())["image"].keys()


@pytest.mark.parametrize(
    ("before", "edit", "said"),
    [
        (SHIPPED, lambda text: text.replace("256", "99999", 1), "would have a mistake.*width"),
        ("{", adding("mine"), "has a mistake already.*is not JSON"),
    ],
)
def test_a_catalogue_with_a_mistake_is_not_written(
    file: Path, before: str, edit: stores.Edit, said: str
) -> None:
    file.write_text(before)
    with pytest.raises(CommandError, match=said):
        FileStore(file, RATES).change(edit)
    assert file.read_text() == before


def test_a_file_that_is_not_there_or_not_writable_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.json cannot be read: No such file"):
        FileStore(tmp_path / "none.json", RATES).read()


@pytest.fixture
def ssm() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("ssm")
        client.put_parameter(
            Name=NAME, Type="String", Tier="Advanced", Value=pack(NAME, SHIPPED).value
        )
        yield client


def stored(ssm: Any) -> dict[str, Any]:
    value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    found: dict[str, Any] = json.loads(read_text(ssm, NAME, value) or "")
    return found


def test_a_stages_parameter_is_what_the_functions_read(ssm: Any) -> None:
    store = StageStore("homolog", NAME, RATES)

    assert store.change(adding("mine"))
    assert not store.change(adding("mine"))

    assert stored(ssm)["image"]["mine"] == ENTRY
    assert ssm.get_parameter(Name=NAME)["Parameter"]["Version"] == 2
    assert store.change(lambda text: remove_entry(text, "mine"))
    assert stored(ssm) == json.loads(SHIPPED)


def interrupted(ssm: Any, monkeypatch: pytest.MonkeyPatch, edit: stores.Edit) -> None:
    """Somebody else writes once, between the command's read and its write."""
    write, pending = StageStore._write, [edit]

    def late(store: StageStore, text: str) -> int:
        if pending:
            write(store, pending.pop()(store.read()))
        return write(store, text)

    monkeypatch.setattr(StageStore, "_write", late)


def test_two_operators_do_not_overwrite_each_other(
    ssm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(ssm, monkeypatch, adding("other"))

    StageStore("homolog", NAME, RATES).change(adding("mine"))

    assert {"mine", "other"} <= stored(ssm)["image"].keys()


def test_a_change_that_no_longer_fits_gives_the_others_write_back(
    ssm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(ssm, monkeypatch, adding("other"))

    def edit(text: str) -> str:
        if '"other"' in text:
            raise CommandError("AlreadyAdded", "too late", Exit.REFUSED)
        return adding("mine")(text)

    with pytest.raises(CommandError, match="too late"):
        StageStore("homolog", NAME, RATES).change(edit)

    assert "other" in stored(ssm)["image"]
    assert "mine" not in stored(ssm)["image"]


def test_a_catalogue_of_many_models_is_kept_in_parts(
    ssm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StageStore("homolog", NAME, RATES)
    assert store.change(_grown)
    value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    assert part_names(NAME, value)

    interrupted(ssm, monkeypatch, adding("other"))
    store.change(adding("mine"))
    assert {"mine", "other", "model-39"} <= stored(ssm)["image"].keys()
    assert json.loads(store.read()) == stored(ssm)


def _grown(text: str) -> str:
    """Many models, each with digests of its own, which no compression makes smaller."""
    for number in range(40):
        lengths = range(1 + 20 * number, 21 + 20 * number)
        inputs = {f"input_{each}": {"type": "string", "maxLength": each} for each in lengths}
        model = published(inputs, version=f"{number:064x}", description=f"Model {number}")
        text = put_entry(text, "image", f"model-{number}", proposal(model).entry)
    return text


@pytest.mark.parametrize("value", ["not packed", "AAAA"])
def test_a_parameter_that_holds_something_else_is_left_alone(ssm: Any, value: str) -> None:
    ssm.put_parameter(Name=NAME, Value=value, Overwrite=True)
    with pytest.raises(CommandError, match="neither JSON nor base64"):
        StageStore("homolog", NAME, RATES).change(adding("mine"))


def test_a_stage_says_where_its_catalogue_is(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"ModelsConfig": "ssm:/vsl/homolog/models-2"}
    monkeypatch.setattr(stores, "stack_facts", lambda _stage: ({}, config))
    assert stage_store("homolog", RATES).place == "ssm:/vsl/homolog/models-2"

    config["ModelsConfig"] = "/opt/config/models.json"
    with pytest.raises(CommandError, match="from its deployment") as caught:
        stage_store("homolog", RATES)
    assert "ModelsConfig=ssm:/vsl/homolog/models" in caught.value.hint
    with pytest.raises(CommandError, match="no stage"):
        stage_store("elsewhere", RATES)
