"""The API's figures and the alarms, from the engine's CloudWatch and by way of the local front."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from devstack.engine import Engine
from devstack.gateway.backend import EngineBackend
from devstack.gateway.metrics import RequestMetrics
from devstack.gateway.responses import GatewayError
from devstack.processes import free_ports
from tests.support.waiting import until
from vsl.adapters.aws import clients
from vsl.adapters.aws.cloudwatch import CloudWatchHealth
from vsl.domain.api.health import Alarm, ApiFigures
from vsl.domain.errors import StoreUnavailable

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    engine = Engine(folder / "engine", free_ports(1)[0], folder / "engine.log")
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(autouse=True)
def as_functions_do(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    clients.forget()
    monkeypatch.setenv("AWS_ENDPOINT_URL", engine.url)
    yield
    clients.forget()


def figures(stage: str, hours: int) -> ApiFigures:
    now = datetime.now(UTC)
    return CloudWatchHealth(stage).api(now - timedelta(hours=hours), now + timedelta(minutes=1))


def test_what_the_front_answers_is_counted_by_kind(engine: Engine) -> None:
    metrics = RequestMetrics(EngineBackend(engine.url).put_metrics)
    metrics.of("counted")
    for status in (200, 202, 400, 404, 429, 500, 503):
        metrics.count(status)
    assert until(lambda: figures("counted", 1), lambda found: found.requests == 7) == ApiFigures(
        7, 3, 2
    )
    assert figures("counted", 24 * 30).requests == 7, "by the hour, too"
    assert figures("another", 1) == ApiFigures(0, 0, 0)


def test_what_could_not_be_written_is_written_later() -> None:
    written: list[Any] = []
    away = [True]

    def put(_namespace: str, data: Any) -> None:
        if away.pop() if away else False:
            raise GatewayError("INTEGRATION_FAILURE", "away")
        written.extend((each["MetricName"], each["Value"]) for each in data)

    metrics = RequestMetrics(put)
    metrics.count(404)
    until(lambda: not away)
    metrics.count(200)
    until(lambda: len(written) >= 3)
    assert dict(written) == {"Count": 2, "4XXError": 1, "5XXError": 0}


def test_alarms_are_the_deployments_own_with_their_runbooks(engine: Engine) -> None:
    client = boto3.client("cloudwatch", endpoint_url=engine.url)
    for name, state in (
        ("vsl-mine-spend", "ALARM"),
        ("vsl-mine-poller-silent", "OK"),
        ("vsl-other-x", "OK"),
    ):
        client.put_metric_alarm(
            AlarmName=name,
            AlarmDescription=f"{name} is on. https://run.book/#{name}",
            Namespace="VSL",
            MetricName=name,
            Period=60,
            EvaluationPeriods=1,
            Statistic="Sum",
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
    client.close()
    assert CloudWatchHealth("mine").alarms() == [
        Alarm(
            "poller-silent",
            "OK",
            "vsl-mine-poller-silent is on.",
            "https://run.book/#vsl-mine-poller-silent",
        ),
        Alarm("spend", "ALARM", "vsl-mine-spend is on.", "https://run.book/#vsl-mine-spend"),
    ]


def test_a_platform_that_does_not_answer_is_a_store_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(StoreUnavailable):
        CloudWatchHealth("mine").alarms()
