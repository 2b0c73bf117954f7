"""What `vsl usage` asks for, and how a refusal about money is told."""

from datetime import UTC, datetime

import pytest

from cli.client.errors import CommandError, Exit, refusal
from cli.client.money import usage_query

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


def test_a_user_sees_the_own_usage_by_day_and_model() -> None:
    asked = usage_query("me", None, None, "day,model", NOW)
    assert asked == {"userId": "me", "from": None, "to": None, "by": "day,modelId"}


def test_days_are_given_as_days_or_as_a_time_before_now() -> None:
    asked = usage_query(None, "30d", "2026-02-27", "media, user", NOW)
    assert asked == {
        "userId": None, "from": "2026-01-30", "to": "2026-02-27", "by": "mediaType,userId",
    }  # fmt: skip


def test_a_day_is_one_of_utc() -> None:
    asked = usage_query("me", "2026-03-01T01:00:00+02:00", None, "day", NOW)
    assert asked["from"] == "2026-02-28"


@pytest.mark.parametrize(
    ("first", "last", "by", "code"),
    [("lunch", None, "day", "InvalidTime"), (None, "x", "day", "InvalidTime"),
     (None, None, "hour", "InvalidBy")],
)  # fmt: skip
def test_what_is_no_usage(first: str | None, last: str | None, by: str, code: str) -> None:
    with pytest.raises(CommandError) as caught:
        usage_query("me", first, last, by, NOW)
    assert (caught.value.code, caught.value.exit_code) == (code, Exit.REFUSED)


def test_a_full_budget_is_a_limit_and_says_what_is_left() -> None:
    problem = {
        "code": "BudgetExceeded", "detail": "why", "budget": "user/day", "limit": "1", "spent": "0.9",
        "held": "0.1", "left": "0", "wouldHold": "0.003", "resetsAt": "2026-03-02T00:00:00.000Z",
    }  # fmt: skip
    error = refusal(402, problem)
    assert error.exit_code == Exit.LIMITED
    assert "vsl budget" in error.hint
    told = error.document()["error"]
    assert {name: told[name] for name in problem if name not in {"code", "detail"}} == {
        name: value for name, value in problem.items() if name not in {"code", "detail"}
    }


def test_a_frozen_model_is_refused_for_good_and_not_for_now() -> None:
    error = refusal(503, {"code": "ModelFrozen", "detail": "why"})
    assert error.exit_code == Exit.REFUSED
    assert "vsl models" in error.hint
