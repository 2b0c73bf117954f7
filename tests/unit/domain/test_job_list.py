"""What a list of jobs can be asked for, and the cursor."""

from datetime import UTC

import pytest

from tests.support.fakes import START
from tests.support.jobs import make_job
from vsl.domain.api.job_list import DEFAULT_LIMIT, JobFilter, ListRequest, Position
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.job import JobStatus, MediaType

HERE = Position(START.replace(microsecond=123456), make_job().job_id)


def test_a_cursor_is_a_plain_word_that_leads_back() -> None:
    cursor = HERE.cursor(JobFilter())
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")
    assert Position.parse(cursor, JobFilter()) == HERE


def test_everything_can_be_asked_for_at_once() -> None:
    query = {
        "status": "succeeded",
        "mediaType": "video",
        "modelId": "minimax-video-01",
        "createdAfter": "2026-03-01T12:00:00Z",
        "createdBefore": "2026-03-01T14:00:00.5+02:00",
        "limit": "100",
        "userId": "read elsewhere",
    }
    before = START.replace(microsecond=500000)
    query["cursor"] = HERE.cursor(ListRequest.parse(query, "u").wanted)
    assert ListRequest.parse(query, "u") == ListRequest(
        JobFilter("u", JobStatus.SUCCEEDED, MediaType.VIDEO, "minimax-video-01", START, before),
        HERE,
        100,
    )


def test_nothing_has_to_be_asked_for() -> None:
    assert ListRequest.parse({}, None) == ListRequest(JobFilter(), None, DEFAULT_LIMIT)


@pytest.mark.parametrize(
    ("value", "year"),
    [("9999-12-31T23:59:59-23:59", 9000), ("0001-01-01T00:00:00+23:59", 1970)],
)
def test_a_time_no_store_can_hold_stands_for_the_last_it_can(value: str, year: int) -> None:
    wanted = ListRequest.parse({"createdAfter": value, "createdBefore": value}, None).wanted
    assert wanted.created_after is not None
    assert wanted.created_after == wanted.created_before
    assert wanted.created_after.astimezone(UTC).year == year


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "done"),
        ("status", ""),
        ("mediaType", "Image"),
        ("modelId", ""),
        ("modelId", "a\0b"),
        ("modelId", "m" * 101),
        ("createdAfter", "yesterday"),
        ("createdAfter", "2026-03-01T12:00:00"),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "1.5"),
        ("limit", "٣"),
        ("limit", ""),
        ("cursor", ""),
        ("cursor", "x"),
        ("cursor", "é"),
        ("cursor", "AAAA"),
        ("cursor", "MjAyNiAwMTk5NGEzYy0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ListRequest.parse({name: value}, None)
    fields = refused.value.details["fields"]
    assert isinstance(fields, list)
    assert [field["field"] for field in fields] == [name]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest, match=r"status must be .*; limit must be "):
        ListRequest.parse({"status": "x", "limit": "x"}, None)


@pytest.mark.parametrize(
    "other",
    [{"status": "failed"}, {"modelId": "flux-dev"}, {"createdAfter": "2026-03-01T12:00:00Z"}],
)
def test_a_cursor_is_good_for_the_list_it_came_from_alone(other: dict[str, str]) -> None:
    cursor = HERE.cursor(JobFilter("u"))
    assert ListRequest.parse({"cursor": cursor, "limit": "7"}, "u").after == HERE
    for query, user_id in ((other, "u"), ({}, "v"), ({}, None)):
        with pytest.raises(InvalidRequest, match="cursor belongs to a list with other filters"):
            ListRequest.parse({"cursor": cursor, **query}, user_id)


def test_jobs_are_found_by_metadata_and_words() -> None:
    query = {"metadata[order]": "17", "metadata[shop]": "b", "q": "light hou"}
    wanted = ListRequest.parse(query, None).wanted
    assert wanted == JobFilter(metadata=(("order", "17"), ("shop", "b")), words="light hou")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"metadata[a b]": "x"}, "metadata.…"),
        ({"metadata[]": "x"}, "metadata.…"),
        ({"q": ""}, "q"),
        ({"q": "…!"}, "q"),
        ({"q": "x" * 201}, "q"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ListRequest.parse(query, None)
    assert [name for name, _ in caught.value.faults] == [field]
