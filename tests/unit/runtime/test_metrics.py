"""Metrics as CloudWatch reads them from a log line."""

import json
from collections.abc import Iterator

import pytest

from vsl.runtime import settings as module
from vsl.runtime.observability import DIMENSIONS, METRICS, EmfMetrics

UNITS = {"Count", "Seconds", "Bytes", "Percent", "None"}


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


def directives(found: dict[str, object]) -> list[dict[str, object]]:
    told: list[dict[str, object]] = found["_aws"]["CloudWatchMetrics"]  # type: ignore[index]
    return told


def test_several_values_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().record({"RunTime": 1.5, "TransferSize": 2048}, modelId="flux-schnell")
    found = line(capsys)
    (directive,) = directives(found)
    assert directive == {
        "Namespace": "VSL",
        "Dimensions": [["stage"]],
        "Metrics": [
            {"Name": "RunTime", "Unit": "Seconds"},
            {"Name": "TransferSize", "Unit": "Bytes"},
        ],
    }
    assert found["RunTime"] == 1.5
    assert found["TransferSize"] == 2048
    assert (found["stage"], found["modelId"]) == ("production", "flux-schnell")


def test_a_metric_is_told_apart_by_its_one_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    """Each value of a dimension is a metric of its own, which costs by the month: what else is known
    is a property of the line, which a query finds for nothing."""
    EmfMetrics().count(
        "JobFailed", mediaType="image", modelId="flux-schnell", errorType="OutputInvalid"
    )
    found = line(capsys)
    (directive,) = directives(found)
    assert directive["Dimensions"] == [["stage"], ["stage", "errorType"]]
    assert (found["modelId"], found["errorType"]) == ("flux-schnell", "OutputInvalid")


def test_metrics_of_one_line_may_differ_in_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().record({"ActualCost": 0.003, "RunTime": 2.0}, mediaType="image", modelId="m")
    sets = {
        metric["Name"]: each["Dimensions"]
        for each in directives(line(capsys))
        for metric in each["Metrics"]  # type: ignore[attr-defined]
    }
    assert sets == {"ActualCost": [["stage"], ["stage", "mediaType"]], "RunTime": [["stage"]]}


def test_a_dimension_that_is_not_known_this_time_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    EmfMetrics().count("JobFailed")
    (directive,) = directives(line(capsys))
    assert directive["Dimensions"] == [["stage"]]


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


def test_a_dimension_is_one_of_a_metric_there_is() -> None:
    assert DIMENSIONS.keys() <= METRICS.keys()


def test_the_model_is_a_dimension_of_what_is_asked_by_model_alone() -> None:
    """There are as many models as the catalogue has, and it grows."""
    assert [name for name, by in DIMENSIONS.items() if by == "modelId"] == ["JobCompleted"]
