"""`vsl budget`, `usage`, `credits` and `ledger` against the running stack."""

import csv
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

GENERATE = ("generate", "flux-schnell", "--prompt")


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The user of the commands, new in every test."""
    for name in ("VSL_API_URL", "VSL_API_KEY", "VSL_TOKEN", "VSL_STAGE"):
        monkeypatch.delenv(name, raising=False)
    name = f"client-{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("VSL_USER", name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return name


def vsl(stack: Stack, *words: str, exit_code: int = 0) -> Result:
    shown = CliRunner().invoke(app, [*words, "--state", str(stack.document["state"])])
    assert shown.exit_code == exit_code, shown.output
    return shown


def answer(stack: Stack, *words: str, exit_code: int = 0) -> Any:
    return json.loads(vsl(stack, *words, "--json", exit_code=exit_code).stdout)


def rows(shown: Result) -> list[list[str]]:
    """The words of each line of a table."""
    return [line.split() for line in shown.stdout.splitlines() if line.strip(" ─")]


def test_a_budget_is_set_reached_raised_and_given_up(stack: Stack, user: str) -> None:
    shown = vsl(stack, "budget", "set", user, "--period", "day", "--limit", "0.004")
    assert ["user/day", "$0.004", "$0.00", "$0.00", "$0.004"] in [row[:5] for row in rows(shown)]
    vsl(stack, *GENERATE, unique("one"))
    assert ["user/day", "$0.004", "$0.003", "$0.00", "$0.001"] in [
        row[:5] for row in rows(vsl(stack, "budget"))
    ]
    refused = answer(stack, *GENERATE, unique("two"), exit_code=5)["error"]
    assert (refused["code"], refused["budget"], refused["left"]) == (
        "BudgetExceeded",
        "user/day",
        "0.001",
    )
    shown = vsl(stack, *GENERATE, unique("two"), exit_code=5)
    assert "only $0.001 are left" in shown.stderr
    assert "vsl budget set" in shown.stderr
    set_none = answer(stack, "budget", "set", user, "--period", "day", "--none")
    assert set_none["budgets"][0]["limit"] is None
    vsl(stack, *GENERATE, unique("two"))
    assert answer(stack, "budget")["canStart"] is True


def test_a_closed_budget_says_so(stack: Stack, user: str) -> None:
    vsl(stack, "budget", "set", user, "--period", "total", "--limit", "0")
    assert "Nothing can be started" in vsl(stack, "budget").stderr


def test_the_budget_of_the_whole_deployment(stack: Stack) -> None:
    assert rows(vsl(stack, "budget", "show"))[1][0] == "stage/day"
    assert answer(stack, "budget", "show", "stage")["of"] == "stage"


def test_usage_as_a_table_as_csv_and_as_json(stack: Stack, user: str) -> None:
    assert "No jobs" in vsl(stack, "usage").stderr
    vsl(stack, *GENERATE, unique("one"))
    found = rows(vsl(stack, "usage", "--by", "model,media"))
    assert found[1] == ["flux-schnell", "image", "1", "1", "$0.003", "$0.00", "$0.00"]
    assert found[-1] == ["total", "1", "1", "$0.003", "$0.00", "$0.00"]
    (line,) = csv.DictReader(vsl(stack, "usage", "--by", "user", "--csv").stdout.splitlines())
    assert (line["userId"], line["spent"]) == (user, "0.003")
    found = answer(stack, "usage", "--by", "user", "--all-users", "--from", "1d")
    assert user in [line["userId"] for line in found["lines"]]


def test_credits_with_one_key_count_once(stack: Stack, user: str) -> None:
    add = ("credits", "add", user, "1.50", "--key", f"invoice {user}")
    for _ in range(2):
        assert f"{user} has $1.50 more." in vsl(stack, *add).stderr
    credit = next(row for row in rows(vsl(stack, "budget")) if row[0] == "user/credit")
    assert credit[1] == "$1.50"
    refused = answer(stack, *add[:3], "2", *add[4:], exit_code=2)["error"]
    assert refused["code"] == "IdempotencyKeyReused"


def test_the_ledger_of_a_job(stack: Stack, user: str) -> None:
    vsl(stack, *GENERATE, unique("one"))
    found = rows(vsl(stack, "ledger", "last"))
    assert [row[1:] for row in found[1:]] == [
        ["hold", f"invoice:{user}", f"held:{user}", "$0.003"],
        ["charge", f"held:{user}", "provider", "$0.003"],
    ]
    assert len(answer(stack, "ledger")["movements"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("budget", "set", "me", "--period", "day"), "NoLimit", 2),
        (("budget", "set", "me", "--period", "day", "--limit", "much"), "InvalidRequest", 2),
        (("budget", "show", "-"), "InvalidRequest", 2),
        (("usage", "--by", "hour"), "InvalidBy", 2),
        (("usage", "--from", "never"), "InvalidTime", 2),
        (("credits", "add", "me", "0"), "InvalidRequest", 2),
        (("ledger", "01994a3c-0000-7000-8000-000000000000"), "JobNotFound", 3),
    ],
)
def test_what_is_refused(stack: Stack, words: tuple[str, ...], code: str, exit_code: int) -> None:
    assert answer(stack, *words, exit_code=exit_code)["error"]["code"] == code
