"""What usage is asked for, and how it is told."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from vsl.domain.errors import InvalidRequest
from vsl.domain.money.usage import UsageLine, UsageReport, UsageRequest, parse_format

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


def parse(**query: str) -> UsageRequest:
    return UsageRequest.parse({name.rstrip("_"): text for name, text in query.items()}, None, NOW)


def test_the_default_is_thirty_days_by_day_and_model() -> None:
    asked = parse()
    assert (asked.first, asked.last) == (date(2026, 1, 31), date(2026, 3, 1))
    assert asked.by == ("day", "modelId")


def test_the_days_and_the_dimensions_are_as_asked_in_one_order() -> None:
    asked = parse(from_="2026-02-28", to="2026-02-28", by="mediaType,userId,day,day")
    assert asked.first == asked.last == date(2026, 2, 28)
    assert asked.by == ("day", "userId", "mediaType")


def test_nothing_to_tell_apart_is_one_line() -> None:
    assert parse(by="").by == ()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from_": "yesterday"}, "from"),
        ({"from_": "2026-03-01T00:00:00Z"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-01-01"}, "to"),
        ({"from_": "2026-03-02"}, "from"),
        ({"from_": "2024-01-01"}, "from"),
        ({"by": "day,hour"}, "by"),
        ({"by": "day,,modelId"}, "by"),
    ],
)
def test_what_is_no_request(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(**query)
    faults: Any = caught.value.details["fields"]
    assert [fault["field"] for fault in faults] == [field]


def test_the_longest_time_is_four_hundred_days() -> None:
    assert parse(from_="2025-01-26").last == date(2026, 3, 1)
    with pytest.raises(InvalidRequest):
        parse(from_="2025-01-25")


LINES = [
    UsageLine({"day": "2026-03-01", "modelId": "a"}, 3, 2, 3_000, 1_500, 0),
    UsageLine({"day": "2026-02-28", "modelId": "b"}, 1, 0, 0, 0, 12_500_000),
]


def test_a_report_sums_its_lines() -> None:
    document = UsageReport(parse(from_="2026-02-28"), LINES).document()
    assert (document["from"], document["to"]) == ("2026-02-28", "2026-03-01")
    assert document["by"] == ["day", "modelId"]
    assert document["userId"] is None
    assert document["lines"][0] == {
        "day": "2026-03-01", "modelId": "a", "jobs": 3, "succeeded": 2, "spent": "0.003",
        "held": "0.0015", "stage": "0",
    }  # fmt: skip
    assert document["total"] == {
        "jobs": 4, "succeeded": 2, "spent": "0.003", "held": "0.0015", "stage": "12.5",
    }  # fmt: skip


def test_a_report_of_nothing() -> None:
    assert UsageReport(parse(), []).document()["total"]["jobs"] == 0


def test_a_report_as_a_table() -> None:
    assert UsageReport(parse(), LINES).csv() == (
        "day,modelId,jobs,succeeded,spent,held,stage\r\n"
        "2026-03-01,a,3,2,0.003,0.0015,0\r\n"
        "2026-02-28,b,1,0,0,0,12.5\r\n"
    )


def test_the_format_is_one_of_two() -> None:
    assert parse_format({}) == "json"
    assert parse_format({"format": "csv"}) == "csv"
    with pytest.raises(InvalidRequest):
        parse_format({"format": "xml"})
