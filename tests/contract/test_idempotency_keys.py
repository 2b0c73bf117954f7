"""Idempotency-Keys by their rules, in DynamoDB (moto) as in the memory that other tests use."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.fakes import MemoryKeys, SteppedClock
from tests.support.jobs import create_table
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.idempotency import DynamoIdempotency
from vsl.adapters.dynamodb.key_records import DynamoKeyRecords
from vsl.domain.errors import IdempotencyKeyReused, InvalidParameters, RequestInProgress
from vsl.domain.jobs.idempotency import CLAIM_SECONDS, KEPT_SECONDS, Claim, KeyRecord

TABLE = "idempotency"
BODY = {"userId": "user-1", "modelId": "flux-schnell", "prompt": "a secret lighthouse"}
OTHER = {**BODY, "prompt": "a windmill"}


class Keys:
    """Both halves of one store, and a way to let time pass."""

    def __init__(self, claims: Any, records: Any, passes: Callable[[int], None]) -> None:
        self._claims = claims
        self._records = records
        self.passes = passes
        self._numbers = itertools.count(1)

    def claim(self, body: dict[str, str] = BODY, exists: bool = False) -> Claim:
        found: Claim = self._claims.claim("key", body, self._propose, lambda _: exists)
        return found

    def _propose(self) -> str:
        return f"job-{next(self._numbers)}"

    def refuse(self) -> None:
        def invalid() -> str:
            raise InvalidParameters("The upload has expired.")

        with pytest.raises(InvalidParameters):
            self._claims.claim("key", BODY, invalid, lambda _: False)

    def find(self, body: dict[str, str] = BODY) -> Claim | None:
        found: Claim | None = self._claims.find("key", body, lambda _: False)
        return found

    def hold(self, claim: Claim) -> bool:
        held: bool = self._records.hold(claim.record, claim.job_id)
        return held

    def bind(self, claim: Claim) -> None:
        self._records.bind(claim.record, claim.job_id)

    def release(self, claim: Claim) -> None:
        self._records.release(claim.record, claim.job_id)

    def forget(self, claim: Claim) -> None:
        self._claims.forget(claim)

    def create(self, claim: Claim) -> None:
        assert self.hold(claim)
        self.bind(claim)


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        clients.forget()
        client = boto3.client("dynamodb")
        create_table(client, "IdempotencyTable", TABLE)
        yield client
        clients.forget()


def items(table: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.scan(TableName=TABLE)["Items"]
    return found


def in_dynamodb(table: Any) -> Keys:
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 8000)

    def passes(seconds: int) -> None:
        for item in items(table):
            for name, each in (("expiration", seconds), ("in_progress_expiration", seconds * 1000)):
                if name in item:
                    item[name] = {"N": str(int(item[name]["N"]) - each)}
            table.put_item(TableName=TABLE, Item=item)

    records = DynamoKeyRecords(TABLE, lambda: datetime.now(UTC))
    return Keys(DynamoIdempotency(TABLE, context), records, passes)


def in_memory() -> Keys:
    clock = SteppedClock()
    keys = MemoryKeys(clock.now)
    return Keys(keys, keys, clock.advance)


@pytest.fixture(params=["DynamoDB", "memory"])
def keys(request: pytest.FixtureRequest) -> Keys:
    if request.param == "memory":
        return in_memory()
    return in_dynamodb(request.getfixturevalue("table"))


def test_a_claim_is_shared_until_it_runs_out(keys: Keys) -> None:
    first = keys.claim()
    assert (first.job_id, first.created) == ("job-1", False)
    assert keys.claim() == first == keys.find()
    keys.passes(CLAIM_SECONDS - 2)
    assert keys.claim() == first
    keys.passes(4)
    assert keys.claim().job_id == "job-2"


def test_another_body_is_refused_while_the_key_means_something(keys: Keys) -> None:
    keys.claim()
    for ask in (keys.claim, keys.find):
        with pytest.raises(IdempotencyKeyReused):
            ask(OTHER)
    keys.passes(CLAIM_SECONDS + 2)
    assert keys.claim(OTHER).job_id == "job-2"


def test_what_is_refused_claims_nothing(keys: Keys) -> None:
    keys.refuse()
    assert keys.find() is None
    assert keys.claim(OTHER).job_id == "job-1"


def test_a_created_job_keeps_its_key_for_a_day(keys: Keys) -> None:
    claim = keys.claim()
    keys.create(claim)
    keys.passes(KEPT_SECONDS - 60)
    again = keys.claim()
    assert (again.job_id, again.created) == (claim.job_id, True)
    assert keys.find() == again
    with pytest.raises(IdempotencyKeyReused):
        keys.claim(OTHER)
    keys.passes(120)
    assert keys.claim().job_id == "job-2"


def test_every_step_may_happen_twice(keys: Keys) -> None:
    """An answer that was lost, a step that is repeated: its own write is no obstacle."""
    claim = keys.claim()
    assert [keys.hold(claim), keys.hold(claim)] == [True, True]
    keys.bind(claim)
    keys.bind(claim)
    assert keys.hold(claim) is False, "created, and not to be written once more"
    keys.bind(claim)
    assert keys.claim().created


def test_a_released_key_is_free_at_once(keys: Keys) -> None:
    claim = keys.claim()
    keys.release(claim)
    keys.release(claim)
    assert keys.find() is None
    assert keys.claim(OTHER).job_id == "job-2"


def test_only_a_mere_claim_is_released(keys: Keys) -> None:
    """Of two requests with one key, one is refused while the other creates the job."""
    claim = keys.claim()
    keys.hold(claim)
    keys.release(claim)
    assert keys.claim() == claim
    keys.bind(claim)
    keys.release(claim)
    assert keys.claim().created


def test_a_refusal_does_not_stop_the_other_request_with_the_key(keys: Keys) -> None:
    claim = keys.claim()
    keys.release(claim)
    keys.create(claim)
    assert keys.claim().job_id == claim.job_id


def test_holding_a_claim_makes_it_last(keys: Keys) -> None:
    claim = keys.claim()
    keys.passes(CLAIM_SECONDS - 2)
    assert keys.hold(claim)
    keys.passes(CLAIM_SECONDS - 2)
    assert keys.claim() == claim
    keys.bind(claim)


def test_a_job_is_not_created_once_the_key_means_another(keys: Keys) -> None:
    late = keys.claim()
    keys.passes(CLAIM_SECONDS + 2)
    other = keys.claim()
    assert other.job_id != late.job_id
    for _ in range(2):
        for step in (keys.hold, keys.bind):
            with pytest.raises(RequestInProgress):
                step(late)
        keys.release(late)
        assert keys.claim().job_id == other.job_id
        if not keys.claim().created:
            keys.create(other)


def test_nothing_of_the_request_is_kept(table: Any) -> None:
    keys = in_dynamodb(table)
    claim = keys.claim()
    for step in (lambda: None, lambda: keys.hold(claim), lambda: keys.bind(claim)):
        step()
        (item,) = items(table)
        text = json.dumps(item)
        assert not any(value in text for value in BODY.values())
        assert json.loads(item["data"]["S"]).keys() == {"jobId", "state"}


OLDER = {"jobId": "job-0", "userId": "user-1", "parameters": {"prompt": "a secret lighthouse"}}


def older(table: Any, keys: Keys) -> None:
    """The key as the version before kept it: with the whole job, for a day, whatever came of it."""
    keys.claim()
    (item,) = items(table)
    item["data"] = {"S": json.dumps(OLDER, sort_keys=True)}
    table.put_item(TableName=TABLE, Item=item)


def test_a_key_of_an_older_version_is_its_job_if_that_is_there(table: Any) -> None:
    keys = in_dynamodb(table)
    older(table, keys)
    again = keys.claim(exists=True)
    assert (again.job_id, again.created) == ("job-0", True)


def test_a_key_of_an_older_version_that_came_to_no_job_is_free(table: Any) -> None:
    keys = in_dynamodb(table)
    older(table, keys)
    again = keys.claim(exists=False)
    assert (again.job_id, again.created) == ("job-2", False)
    keys.create(again)
    assert keys.claim().job_id == "job-2"


def test_a_record_travels_as_text() -> None:
    record = KeyRecord("generate-media#1", "2")
    assert KeyRecord.from_document(json.loads(json.dumps(record.document()))) == record
    assert KeyRecord.from_document(None) is None
    assert timedelta(seconds=CLAIM_SECONDS) < timedelta(seconds=KEPT_SECONDS)


class AnswersLost:
    """A client of boto3 whose every answer to a write is lost: boto3 sends it again."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name not in {"put_item", "update_item", "delete_item"}:
            return method

        def twice(**arguments: Any) -> Any:
            with suppress(self._client.exceptions.ConditionalCheckFailedException):
                method(**arguments)
            return method(**arguments)

        return twice


def test_a_claim_whose_answer_is_lost_is_no_other_request_s(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy = AnswersLost(table)
    monkeypatch.setattr(clients, "client", lambda _service: lossy)
    keys = in_dynamodb(table)
    claim = keys.claim()
    assert (claim.job_id, claim.created) == ("job-1", False)
    assert keys.claim().job_id == "job-1"
    keys.create(claim)
    assert keys.claim().created
    keys.release(claim)
    assert keys.claim().created, "what is bound stays"


def test_two_claims_at_the_same_moment_are_two(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its own write is a call's success: another's in the same millisecond is not."""
    keys = in_dynamodb(table)
    other = in_dynamodb(table)
    refused: list[str] = []

    def propose() -> str:
        try:
            other.claim()
        except RequestInProgress as error:
            refused.append(error.code)
        return "job-1"

    monkeypatch.setattr(keys, "_propose", propose)
    assert keys.claim().job_id == "job-1"
    assert refused == ["RequestInProgress"]
