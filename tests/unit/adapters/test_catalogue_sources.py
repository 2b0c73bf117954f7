"""MODELS_CONFIG: a path, the JSON itself, or an SSM parameter."""

import base64
import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tests.support.models import CATALOGUE_PATH
from vsl.adapters.aws import catalogue as adapter
from vsl.adapters.aws import clients
from vsl.adapters.aws.catalogue import SSM_TTL_SECONDS, load_catalogue
from vsl.domain.errors import ConfigurationError, StoreUnavailable

TEXT = CATALOGUE_PATH.read_text(encoding="utf-8")


def compact(*media_types: str) -> str:
    document = json.loads(TEXT)
    return json.dumps({name: document[name] for name in media_types}, separators=(",", ":"))


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    adapter._loaded.clear()
    clients.forget()
    yield
    adapter._loaded.clear()
    clients.forget()


def test_a_path_is_read_once_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text(compact("audio"), encoding="utf-8")
    first = load_catalogue(str(path))

    assert "musicgen" in first.models
    assert load_catalogue(str(path)) is first

    path.write_text(compact("image"), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert "sdxl" in load_catalogue(str(path)).models


def test_a_changed_rate_of_hardware_is_read_again(tmp_path: Path) -> None:
    path, hardware = tmp_path / "models.json", tmp_path / "hardware.json"
    document = {"audio": json.loads(compact("audio"))["audio"]}
    price = document["audio"]["musicgen"]["price"]
    del price["amount"]
    price["hardware"] = "gpu"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="the table of rates has no hardware at all"):
        load_catalogue(str(path), str(hardware))

    for rate in ("0.001", "0.00225"):
        table = {"gpu": {"title": "A GPU", "perSecond": rate}}
        hardware.write_text(json.dumps(table), encoding="utf-8")
        found = load_catalogue(str(path), str(hardware)).models["musicgen"].price
        assert found is not None
        assert str(found.amount) == rate


def test_inline_json() -> None:
    found = load_catalogue(f"  {compact('audio')}\n")
    assert list(found.models) == ["musicgen", "stable-audio-open", "bark"]
    assert load_catalogue(compact("audio")) is found


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"MODELS_CONFIG.*none\.json.*No such file"):
        load_catalogue(str(tmp_path / "none.json"))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_catalogue(str(path))


@pytest.mark.parametrize("packed", [False, True])
def test_ssm(packed: bool) -> None:
    text = TEXT if packed else compact("audio")
    value = base64.b64encode(zlib.compress(text.encode(), 9)).decode() if packed else text
    with mock_aws():
        boto3.client("ssm").put_parameter(
            Name="/vsl/models", Value=value, Type="String", Tier="Advanced"
        )
        found = load_catalogue("ssm:/vsl/models")
    assert "musicgen" in found.models
    assert len(value) <= 8192, "the whole catalogue, compressed, fits an SSM parameter"


def test_ssm_is_asked_again_after_a_minute_and_survives_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = iter([compact("audio"), compact("image")])
    asked: list[str] = []

    def answer(name: str) -> str:
        asked.append(name)
        try:
            return next(values)
        except StopIteration:
            raise StoreUnavailable("SSM did not answer.") from None

    now = 1000.0
    monkeypatch.setattr(adapter, "_ssm_value", answer)
    monkeypatch.setattr(time, "monotonic", lambda: now)

    first = load_catalogue("ssm:/vsl/models")
    assert load_catalogue("ssm:/vsl/models") is first
    now += SSM_TTL_SECONDS + 1
    second = load_catalogue("ssm:/vsl/models")
    assert "sdxl" in second.models
    now += SSM_TTL_SECONDS + 1
    assert load_catalogue("ssm:/vsl/models") is second
    assert asked == ["/vsl/models"] * 3


def test_ssm_away_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_name: str) -> str:
        raise StoreUnavailable("SSM did not answer.")

    monkeypatch.setattr(adapter, "_ssm_value", fail)
    with pytest.raises(StoreUnavailable):
        load_catalogue("ssm:/vsl/models")


def test_a_missing_parameter_is_named() -> None:
    with mock_aws(), pytest.raises(ConfigurationError, match="/vsl/none does not exist"):
        load_catalogue("ssm:/vsl/none")


@pytest.mark.parametrize(
    "value",
    ["nonsense", base64.b64encode(b"not zlib").decode(), base64.b64encode(zlib.compress(b"\xff")).decode(),
     base64.b64encode(zlib.compress(b" " * 5_000_000)).decode()],
    ids=["text", "base64", "binary", "bomb"],
)  # fmt: skip
def test_a_value_that_is_neither(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_ssm_value", lambda _name: value)
    with pytest.raises(ConfigurationError, match="neither JSON nor"):
        load_catalogue("ssm:/vsl/models")
