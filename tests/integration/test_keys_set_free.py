"""The Idempotency-Key of a job that was never started, in DynamoDB (moto) as in memory."""

from types import SimpleNamespace
from typing import Any, Never

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.contract.test_idempotency_keys import (
    OTHER,
    Keys,
    keys,  # noqa: F401 - a fixture
    table,  # noqa: F401 - a fixture
)
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.idempotency import DynamoIdempotency
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.idempotency import Claim, KeyRecord


def test_the_key_of_a_created_job_is_set_free(keys: Keys) -> None:  # noqa: F811
    claim = keys.claim()
    keys.create(claim)
    keys.forget(claim)
    assert keys.find() is None
    assert keys.claim(OTHER).job_id == "job-2"


def test_what_the_key_stands_for_by_now_is_left_alone(keys: Keys) -> None:  # noqa: F811
    """Two clients repeat the request at once, and one is behind."""
    first = keys.claim()
    keys.create(first)
    keys.forget(first)
    second = keys.claim()
    keys.forget(first)
    assert keys.find() == second
    keys.create(second)
    keys.forget(first)
    assert keys.claim() == keys.find()
    assert keys.claim().created


class _Away:
    class exceptions:  # noqa: N801
        class ConditionalCheckFailedException(ClientError): ...

    def __init__(self, error: Exception) -> None:
        self._error = error

    def delete_item(self, **_: Any) -> Never:
        raise self._error

    get_item = delete_item


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "DeleteItem"),
        ReadTimeoutError(endpoint_url="https://dynamodb.example"),
    ],
    ids=["refused", "no answer"],
)
def test_a_table_that_does_not_answer_is_unavailable(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is repeated, and the client told to try again: it is no fault of ours."""
    monkeypatch.setattr(clients, "client", lambda _service: _Away(error))
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 8000)
    store = DynamoIdempotency("idempotency", context)
    with pytest.raises(StoreUnavailable):
        store.forget(Claim(KeyRecord("key", "hash"), "job", created=True))
    with pytest.raises(StoreUnavailable):
        store.find("key", {}, lambda _: False)
