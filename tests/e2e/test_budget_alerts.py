"""A budget that fills is told of by the job that fills it, and by the hourly run if that could not."""

from typing import Any

import psycopg
import pytest

from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def execute(stack: Stack, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.database_url) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def published(stack: Stack, owner: str) -> list[int]:
    statement = (
        "SELECT level FROM budget_alerts WHERE owner = %s AND published_at IS NOT NULL ORDER BY 1"
    )
    return [level for (level,) in execute(stack, statement, owner)]


def test_each_level_is_published(stack: Stack) -> None:
    user = unique("spender").replace(" ", "-")
    owner = f"user:{user}"
    execute(stack, "INSERT INTO budgets (owner, day_limit) VALUES (%s, 3750)", owner)
    stack.api.run("flux-schnell", {"prompt": unique("80 %")}, user_id=user)
    assert published(stack, owner) == [50, 80]
    refused = stack.api.generate("flux-schnell", {"prompt": unique("full")}, user_id=user)
    assert refused.status_code == 402
    assert published(stack, owner) == [50, 80, 100]
    again = "UPDATE budget_alerts SET published_at = NULL, claimed_at = NULL WHERE owner = %s"
    execute(stack, again, owner)
    assert stack.invoke("RepairExecutionFunction", {"forgotten": True})["alerts"] >= 3
    assert published(stack, owner) == [50, 80, 100]
