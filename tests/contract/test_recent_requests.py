"""Which key equal requests share, in DynamoDB (moto) and in the memory that unit tests have of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.fakes import START, MemoryRecentRequests
from tests.support.jobs import create_table
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.recent_requests import DynamoRecentRequests
from vsl.services.ports.idempotency import RecentRequests

DIGEST = "0" * 64


@pytest.fixture(params=["dynamodb", "memory"])
def recent(request: pytest.FixtureRequest) -> Iterator[RecentRequests]:
    if request.param == "memory":
        yield MemoryRecentRequests()
        return
    with mock_aws():
        clients.forget()
        create_table(boto3.client("dynamodb"), "IdempotencyTable", "idempotency")
        yield DynamoRecentRequests("idempotency")
        clients.forget()


def ask(
    recent: RecentRequests, own: str, *, at: int = 0, joins: int = 0, digest: str = DIGEST
) -> str:
    return recent.key_of(digest, own, START + timedelta(seconds=at), joins, kept=600)


def test_what_joins_gets_the_key_of_an_equal_request(recent: RecentRequests) -> None:
    assert ask(recent, "a") == "a"
    assert ask(recent, "b", at=600, joins=600) == "a"
    assert ask(recent, "c", at=1, joins=600, digest="1" * 64) == "c"


def test_what_is_too_old_is_taken_over(recent: RecentRequests) -> None:
    ask(recent, "a")
    assert ask(recent, "b", at=601, joins=600) == "b"
    assert ask(recent, "c", at=602, joins=600) == "b"


def test_without_a_window_the_latest_is_remembered(recent: RecentRequests) -> None:
    assert (ask(recent, "a"), ask(recent, "b", at=2)) == ("a", "b")
    assert ask(recent, "late", at=1) == "late", "a slow step changes nothing"
    assert ask(recent, "c", at=3, joins=600) == "b"


def test_a_repeated_step_finds_its_own(recent: RecentRequests) -> None:
    for joins in (0, 600):
        assert {ask(recent, "a", joins=joins) for _ in range(3)} == {"a"}
    assert ask(recent, "b", at=1, joins=600) == "a"
    assert ask(recent, "a", joins=600) == "a"


def test_it_can_be_renewed(recent: RecentRequests) -> None:
    ask(recent, "a")
    recent.renew(DIGEST, "b", START, 600)
    assert ask(recent, "c", at=1, joins=600) == "b"


def test_a_record_has_hashes_and_times_and_goes_by_itself() -> None:
    with mock_aws():
        clients.forget()
        create_table(boto3.client("dynamodb"), "IdempotencyTable", "idempotency")
        ask(DynamoRecentRequests("idempotency"), "a")
        found: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName="idempotency")[
            "Items"
        ]
        clients.forget()
    (item,) = found
    assert item.keys() == {"id", "sharedKey", "recentAt", "expiration"}
    assert int(item["expiration"]["N"]) == int(START.timestamp()) + 600
