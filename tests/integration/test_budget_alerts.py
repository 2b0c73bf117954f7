"""Alerts in PostgreSQL: claimed by one run at a time, and published once."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support.jobs import make_job
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.money.budgets import BudgetDefaults

pytestmark = pytest.mark.integration

LIMITS = BudgetDefaults(user_day=3000, stage_day=3750)


@pytest.fixture
def alerted(connection: PostgresConnection) -> PostgresBudgets:
    """The user's day is full, the stage's to 80 per cent."""
    assert PostgresJobRepository(connection, LIMITS).create_job(make_job(), None).alerted
    return PostgresBudgets(connection, LIMITS)


def test_an_alert_is_claimed_by_one_run(alerted: PostgresBudgets, postgres_url: str) -> None:
    def claim(_number: int) -> list[tuple[str, int]]:
        connection = PostgresConnection(lambda: postgres_url)
        try:
            found = PostgresBudgets(connection).claim_unpublished()
        finally:
            connection.close()
        return [(alert.budget.of, alert.level) for alert in found]

    with ThreadPoolExecutor(8) as runs:
        claimed = [each for found in runs.map(claim, range(8)) for each in found]
    user = [("user", level) for level in (50, 80, 100)]
    assert sorted(claimed) == sorted([*user, ("stage", 50), ("stage", 80)])


def test_a_claim_lapses_and_a_publication_does_not(
    alerted: PostgresBudgets, postgres_url: str
) -> None:
    first, *others = alerted.claim_unpublished()
    alerted.mark_published(first)
    assert alerted.claim_unpublished() == []
    with psycopg.connect(postgres_url) as sql:
        sql.execute("UPDATE budget_alerts SET claimed_at = claimed_at - interval '2 minutes'")
    assert alerted.claim_unpublished() == others
