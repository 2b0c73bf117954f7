"""One run of the poller at a time, in DynamoDB (moto): whoever dies holds nobody up for long."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.fakes import SteppedClock
from tests.support.jobs import create_table
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.lease import DynamoLease

RUN = timedelta(seconds=55)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def lease(monkeypatch: pytest.MonkeyPatch, clock: SteppedClock) -> Iterator[DynamoLease]:
    with mock_aws():
        clients.forget()
        create_table(boto3.client("dynamodb"), "IdempotencyTable", "idempotency")
        yield DynamoLease("idempotency", "poll-predictions", clock.now)
        clients.forget()


def kept() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName="idempotency")["Items"]
    return found


def test_one_holds_it_until_it_is_given_back(lease: DynamoLease) -> None:
    assert lease.take("first", RUN)
    assert not lease.take("second", RUN)
    assert lease.take("first", RUN), "a call whose answer was lost is repeated"
    lease.give_back("second")
    assert not lease.take("second", RUN), "it was not the second's to give back"
    lease.give_back("first")
    lease.give_back("first")
    assert kept() == []
    assert lease.take("second", RUN)


def test_a_run_that_died_holds_it_as_long_as_it_could_have_lived(
    lease: DynamoLease, clock: SteppedClock
) -> None:
    assert lease.take("first", RUN)
    clock.advance(RUN.total_seconds())
    assert not lease.take("second", RUN)
    clock.advance(0.001)
    assert lease.take("second", RUN)
    lease.give_back("first")
    assert not lease.take("third", RUN)


def test_a_forgotten_lease_leaves_the_table_by_itself(
    lease: DynamoLease, clock: SteppedClock
) -> None:
    lease.take("first", RUN)
    (item,) = kept()
    assert int(item["expiration"]["N"]) > (clock.now() + RUN).timestamp()
