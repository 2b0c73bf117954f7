"""What a new job's money is asked of PostgreSQL with, and what its refusal means.

The rules are functions of the database (database/migrations/0002_money.sql).
"""

import json
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from vsl.adapters.postgres.connection import Connection
from vsl.domain.errors import ModelFrozen, VslError
from vsl.domain.jobs.job import Job
from vsl.domain.money.amounts import micro_dollars
from vsl.domain.money.budgets import (
    STAGE,
    Budget,
    BudgetDefaults,
    budget_exceeded,
    owner_of,
    unpriced_model,
)

# What the functions raise.
NO_ROOM, FROZEN, OTHER_GRANT = "VSL02", "VSL03", "VSL04"

# The refusal undid everything; that the budget is full by now is worth telling all the same. One that
# has a fifth left is not full: the job was too dear for it.
_NOTE_REFUSAL = """
    INSERT INTO budget_alerts (owner, period, starts, level, limit_amount, spent, held)
    SELECT %(owner)s, %(period)s, %(starts)s, 100, %(limit_amount)s, %(spent)s, %(held)s
    WHERE %(limit_amount)s > 0
        AND (%(spent)s::bigint + %(held)s::bigint) * 100 >= %(limit_amount)s::bigint * 80
    ON CONFLICT DO NOTHING
"""


def hold_row(job: Job, defaults: BudgetDefaults) -> dict[str, Any]:
    """The parameters of `hold_money`."""
    return {
        "estimate": micro_dollars(job.estimated_cost or Decimal(0)),
        "hold": micro_dollars(job.hold),
        "day": job.created_at.date(),
        "user_limits": list(defaults.limits(owner_of(job.user_id))),
        "stage_limits": list(defaults.limits(STAGE)),
        "prepay": defaults.prepaid,
    }


# Whether a user may run models without a price; `unpriced` is what holds for one who has no word of theirs.
ADMITS_UNPRICED = """
    coalesce((SELECT unpriced_models FROM user_limits WHERE user_id = %(user_id)s), %(unpriced)s)
"""
# A job that was admitted stays so.
_MAY_BE_UNPRICED = sql.SQL(
    "SELECT EXISTS (SELECT FROM jobs WHERE job_id = %(job_id)s) OR {admits}"
).format(admits=sql.SQL(ADMITS_UNPRICED))


def check_price(connection: Connection, job: Job, defaults: BudgetDefaults) -> None:
    """Raises UnpricedModel for a new job without an estimate, unless its user may have it."""
    if job.estimated_cost is not None:
        return
    values = {"job_id": job.job_id, "user_id": job.user_id, "unpriced": defaults.unpriced}
    row = connection.execute(_MAY_BE_UNPRICED, values).fetchone()
    if row is None or not row[0]:
        raise unpriced_model(job.model_id)


def refused(connection: Connection, job: Job, error: psycopg.Error) -> VslError | psycopg.Error:
    """The refusal behind the error of a function, else the error itself."""
    if error.sqlstate == FROZEN:
        return ModelFrozen(
            "The model takes no jobs: one of them cost far more than it should have. An operator has"
            " to look at it first.",
            modelId=job.model_id,
        )
    if error.sqlstate != NO_ROOM:
        return error
    row = json.loads(error.diag.message_detail or "{}")
    connection.execute(_NOTE_REFUSAL, row)
    return budget_exceeded(Budget.from_row(row), micro_dollars(job.hold))
