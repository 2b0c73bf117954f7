"""Lists of Replicate's API beyond their first page, as the stock client turns them."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.pagination import paginate

from tests.support.api import unique
from tests.support.stack import Stack
from vsl.domain.api.job_list import LARGEST_LIMIT
from vsl.domain.jobs.ids import created_at, new_job_id
from vsl.domain.times import iso

pytestmark = pytest.mark.e2e

COPIES = 2 * LARGEST_LIMIT + 4
COPY = """
    INSERT INTO jobs (job_id, user_id, media_type, model_id, parameters, status, timeout_seconds,
        estimated_time, created_at, completed_at, metadata)
    SELECT earlier.id, user_id, media_type, model_id, parameters, status, timeout_seconds,
        estimated_time, earlier.at, earlier.at, metadata
    FROM jobs, unnest(%s::uuid[], %s::timestamptz[]) AS earlier (id, at) WHERE job_id = %s
"""


@pytest.fixture(scope="module")
def user() -> str:
    return unique("reader").replace(" ", "-")


@pytest.fixture
def client(stack: Stack, user: str) -> Iterator[Client]:
    address = f"{stack.document['apiUrl']}/replicate"
    made = Client("r8_any", base_url=address, headers={"VSL-User": user}, trust_env=False)
    yield made
    made._client.close()


@pytest.fixture
def ids(stack: Stack, client: Client) -> Iterator[list[str]]:
    """More than two pages of predictions, the newest first. Each pair has the very same time."""
    made = client.models.predictions.create(
        "black-forest-labs/flux-schnell", input={"prompt": unique("a page")}
    )
    made.wait()
    born = created_at(made.id)
    times = [born - timedelta(seconds=number // 2 + 1) for number in range(COPIES)]
    copies = [new_job_id(at) for at in times]
    with psycopg.connect(stack.database_url) as database:
        database.execute(COPY, (copies, times, made.id))
    order = sorted(zip(times, copies, strict=True), reverse=True)
    yield [made.id, *(copy for _, copy in order)]
    with psycopg.connect(stack.database_url) as database:
        database.execute("DELETE FROM jobs WHERE job_id = ANY(%s::uuid[])", (copies,))


def test_pages_have_every_prediction_once_and_in_order(client: Client, ids: list[str]) -> None:
    pages = list(paginate(client.predictions.list))
    assert [len(page.results) for page in pages] == [LARGEST_LIMIT, LARGEST_LIMIT, COPIES + 1 - 200]
    assert [each.id for page in pages for each in page.results] == ids
    assert {page.previous for page in pages} == {None}
    second = client.predictions.list(pages[0].next)
    assert [each.id for each in second.results] == ids[100:200], "a page can be read again"

    since = iso(created_at(ids[-4]))  # the four oldest are two pairs
    narrowed = list(paginate(lambda cursor: client.predictions.list(_since(cursor, since))))
    found = [each.id for page in narrowed for each in page.results]
    assert found == ids[: len(found)]
    assert len(found) == len(ids) - 2

    for cursor in ("nonsense", "", "x" * 5000, f"{_cursor(pages[0].next)}&created_after={since}"):
        with pytest.raises(ReplicateError) as refused:
            client.predictions.list(f"/v1/predictions?cursor={cursor}")
        assert (refused.value.status, refused.value.title) == (422, "Input validation failed")
        assert "cursor" in str(refused.value.detail)


def _since(cursor: object, at: str) -> str:
    return cursor if isinstance(cursor, str) else f"/v1/predictions?created_after={at}"


def _cursor(address: str | None) -> str:
    return str(address).partition("cursor=")[2]
