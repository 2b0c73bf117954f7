"""Who a request of OpenAI's API comes from, as its headers say."""

import json

import pytest

from tests.support.lambda_context import Context
from tests.support.template import REPOSITORY
from vsl.domain.errors import InvalidRequest
from vsl.runtime.openai_route import members_and_files, sender

EVENT = json.loads((REPOSITORY / "events/api/openai_api.json").read_text())


pytestmark = pytest.mark.usefixtures("of_a_back_end")


def test_who_asks_and_how_often() -> None:
    headers = {**EVENT["headers"], "X-Stainless-Retry-Count": "2", "idempotency-key": "order-1"}
    found = sender({**EVENT, "headers": headers}, Context())
    assert (found.user_id, found.key, found.repetition.retry) == ("user-1", "order-1", 2)
    assert found.api == {
        "id": EVENT["requestContext"]["apiId"],
        "host": EVENT["requestContext"]["domainName"],
    }
    assert not sender(EVENT, Context()).joins


@pytest.mark.parametrize("key", ["", "a" * 256, "é"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """As one that is passed over would let a repetition pay twice."""
    headers = {**EVENT["headers"], "Idempotency-Key": key}
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        sender({**EVENT, "headers": headers}, Context())


def test_json_is_read_strictly() -> None:
    members, files = members_and_files(EVENT)
    assert (members["model"], files) == ("flux-schnell", [])
    with pytest.raises(InvalidRequest, match="comes twice"):
        members_and_files({**EVENT, "body": '{"n": 1, "n": 2}'})
