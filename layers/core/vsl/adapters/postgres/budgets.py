"""Budgets and what was spent: `services.ports.money` over the schema in `database/`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import psycopg
from psycopg import sql

from vsl.adapters.postgres.connection import Connection, PostgresConnection
from vsl.adapters.postgres.holds import ADMITS_UNPRICED, OTHER_GRANT
from vsl.domain.errors import IdempotencyKeyReused
from vsl.domain.money.budgets import (
    NO_BUDGETS,
    Budget,
    BudgetAlert,
    BudgetDefaults,
    FrozenModel,
    Movement,
    Period,
)
from vsl.domain.money.usage import UsageLine, UsageRequest

_READ = """
    SELECT owner, period, starts, limit_amount, lines.spent, lines.held,
        CASE period WHEN 'day' THEN day_limit IS NOT NULL WHEN 'month' THEN month_limit IS NOT NULL
                    WHEN 'total' THEN total_limit IS NOT NULL ELSE prepaid END AS own
    FROM budgets,
        budget_lines(turned_over(budgets, %(today)s), %(defaults)s::bigint[], %(prepay)s) AS lines
    WHERE owner = %(owner)s
"""
_LIMIT = """
    INSERT INTO budgets (owner, {column}) VALUES (%(owner)s, %(limit)s)
    ON CONFLICT (owner) DO UPDATE SET {column} = EXCLUDED.{column}
"""
_GRANT = "SELECT grant_credit(%s, %s, %s)"
_MOVEMENTS = """
    SELECT entry, subject, movement AS name, job_id::text, from_account, to_account, amount, at
    FROM ledger WHERE job_id = %s ORDER BY entry
"""
_FROZEN = """
    SELECT model_id, job_id::text, estimate, cost, frozen_at FROM frozen_models ORDER BY model_id
"""
_UNFREEZE = "DELETE FROM frozen_models WHERE model_id = %s"
# A run that dies between claim and publication leaves its alerts to the next one.
_CLAIM = """
    UPDATE budget_alerts SET claimed_at = now()
    WHERE (owner, period, starts, limit_amount, level) IN (
        SELECT owner, period, starts, limit_amount, level FROM budget_alerts
        WHERE published_at IS NULL
            AND (claimed_at IS NULL OR claimed_at < now() - interval '1 minute')
        ORDER BY at LIMIT 100 FOR UPDATE SKIP LOCKED
    )
    RETURNING owner, period, starts, level, limit_amount, spent, held, at
"""
_PUBLISHED = """
    UPDATE budget_alerts SET published_at = now()
    WHERE (owner, period, starts, limit_amount, level) = (%s, %s, %s, %s, %s)
"""
# `stage`: what was paid for the job and not by its user.
_USAGE = """
    SELECT {keys}, count(*) AS jobs, count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
        sum(charged)::bigint AS spent,
        coalesce(sum(amount) FILTER (WHERE settled_at IS NULL), 0)::bigint AS held,
        sum(overrun + coalesce(orphaned.cost, 0))::bigint AS stage
    FROM jobs JOIN holds USING (job_id) LEFT JOIN (
        SELECT job_id, (sum(cost) * 1000000)::bigint AS cost FROM orphaned_predictions
        WHERE cost > 0 GROUP BY job_id
    ) AS orphaned USING (job_id)
    WHERE created_at >= %(first)s AND created_at < %(after)s
        AND (%(user_id)s::text IS NULL OR jobs.user_id = %(user_id)s)
    GROUP BY {groups} ORDER BY {order}
"""
_KEYS = {
    "day": "(created_at AT TIME ZONE 'UTC')::date::text",
    "userId": "jobs.user_id",
    "modelId": "jobs.model_id",
    "mediaType": "media_type",
}
# An answer for people waits longer than a job does.
_SECONDS = 20.0


class PostgresBudgets:
    """`Budgets`, `MoneyQueries`, `Freezes` and `BudgetAlerts` of the ports."""

    def __init__(
        self, connection: PostgresConnection, defaults: BudgetDefaults = NO_BUDGETS
    ) -> None:
        self._connection = connection
        self._defaults = defaults

    def read(self, owner: str, today: date) -> Sequence[Budget]:
        values = {
            "owner": owner,
            "today": today,
            "defaults": list(self._defaults.limits(owner)),
            "prepay": self._defaults.must_prepay(owner),
        }
        found = [Budget.from_row(row) for row in self._connection.rows(_READ, values)]
        return found or self._untouched(owner, today)

    def _untouched(self, owner: str, today: date) -> list[Budget]:
        """Of an owner for whom nothing was held yet."""
        day, month, total = self._defaults.limits(owner)
        lines = [
            Budget(owner, Period.DAY, today, day, 0, 0),
            Budget(owner, Period.MONTH, today.replace(day=1), month, 0, 0),
            Budget(owner, Period.TOTAL, date(1970, 1, 1), total, 0, 0),
        ]
        if self._defaults.must_prepay(owner):
            lines.append(Budget(owner, Period.CREDIT, date(1970, 1, 1), 0, 0, 0))
        return lines

    def admits_unpriced(self, user_id: str) -> bool:
        values = {"user_id": user_id, "unpriced": self._defaults.unpriced}
        (row,) = self._connection.rows(f"SELECT {ADMITS_UNPRICED} AS admits", values)
        return bool(row["admits"])

    def set_limit(self, owner: str, period: Period, limit: int | None) -> None:
        column = sql.Identifier(f"{period.value}_limit")
        statement = sql.SQL(_LIMIT).format(column=column)
        self._connection.run(lambda it: it.execute(statement, {"owner": owner, "limit": limit}))

    def grant(self, key: str, user_id: str, amount: int) -> bool:
        def write(connection: Connection) -> bool:
            try:
                row = connection.execute(_GRANT, (key, user_id, amount)).fetchone()
            except psycopg.Error as error:
                if error.sqlstate != OTHER_GRANT:
                    raise
                message = "This Idempotency-Key was used for other credits; take a new key."
                raise IdempotencyKeyReused(message) from error
            return bool(row and row[0])

        return self._connection.run(write)

    def usage(self, wanted: UsageRequest) -> Sequence[UsageLine]:
        names = wanted.by
        keys = [sql.SQL("{} AS {}").format(sql.SQL(_KEYS[it]), sql.Identifier(it)) for it in names]
        places = [sql.SQL(str(number)) for number in range(1, len(names) + 1)]
        newest = [sql.SQL("1 DESC")] if "day" in names else []
        statement = sql.SQL(_USAGE).format(
            keys=sql.SQL(", ").join(keys or [sql.SQL("'' AS {}").format(sql.Identifier("all"))]),
            groups=sql.SQL(", ").join(places or [sql.SQL("1")]),
            order=sql.SQL(", ").join([*newest, sql.SQL("spent DESC, 1")]),
        )
        values = {
            "first": datetime.combine(wanted.first, time(), UTC),
            "after": datetime.combine(wanted.last + timedelta(days=1), time(), UTC),
            "user_id": wanted.user_id,
        }
        return [
            UsageLine({name: row.pop(name) for name in names}, **_counts(row))
            for row in self._connection.rows(statement, values, time_limit=_SECONDS)
        ]

    def movements(self, job_id: str) -> Sequence[Movement]:
        return [Movement(**row) for row in self._connection.rows(_MOVEMENTS, (job_id,))]

    def frozen(self) -> Sequence[FrozenModel]:
        return [FrozenModel(**row) for row in self._connection.rows(_FROZEN, ())]

    def unfreeze(self, model_id: str) -> bool:
        return self._connection.run(lambda it: it.execute(_UNFREEZE, (model_id,)).rowcount == 1)

    def claim_unpublished(self) -> Sequence[BudgetAlert]:
        claimed = [
            BudgetAlert(Budget.from_row(row), row["level"], row["at"])
            for row in self._connection.rows(_CLAIM, ())
        ]
        return sorted(claimed, key=lambda it: (it.at, it.level, it.budget.owner, it.budget.period))

    def mark_published(self, alert: BudgetAlert) -> None:
        it = alert.budget
        key = (it.owner, it.period.value, it.starts, it.limit, alert.level)
        self._connection.run(lambda connection: connection.execute(_PUBLISHED, key))


def _counts(row: dict[str, int]) -> dict[str, int]:
    return {name: row[name] for name in ("jobs", "succeeded", "spent", "held", "stage")}
