"""Metrics as CloudWatch reads them from a log line."""

import json
from collections.abc import Iterator

import pytest

from vsl.runtime import settings as module
from vsl.runtime.observability import METRICS, EmfMetrics

UNITS = {"Count", "Seconds", "Bytes", "None"}


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "STAGE": "production",
        "API_AUTH": "API_KEY",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/production/",
    }.items():
        monkeypatch.setenv(name, value)
    module.settings.cache_clear()
    yield
    module.settings.cache_clear()


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    printed: dict[str, object] = json.loads(capsys.readouterr().out)
    return printed


def test_several_values_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().record({"RunTime": 1.5, "TransferSize": 2048}, modelId="flux-schnell")
    found = line(capsys)
    (directive,) = found["_aws"]["CloudWatchMetrics"]  # type: ignore[index]
    assert directive == {
        "Namespace": "VSL",
        "Dimensions": [["stage"], ["stage", "modelId"]],
        "Metrics": [
            {"Name": "RunTime", "Unit": "Seconds"},
            {"Name": "TransferSize", "Unit": "Bytes"},
        ],
    }
    assert found["RunTime"] == 1.5
    assert found["TransferSize"] == 2048
    assert (found["stage"], found["modelId"]) == ("production", "flux-schnell")


def test_a_count_without_dimensions_is_one_set(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().count("WebhookRejected")
    found = line(capsys)
    assert found["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stage"]]  # type: ignore[index]
    assert found["WebhookRejected"] == 1


def test_a_name_nobody_declared_is_refused() -> None:
    with pytest.raises(KeyError):
        EmfMetrics().count("Surprise")


def test_units_are_ones_of_cloudwatch() -> None:
    assert set(METRICS.values()) <= UNITS
