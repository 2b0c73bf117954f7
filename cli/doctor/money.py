"""Money in PostgreSQL alone: open holds, running totals, frozen models."""

from collections.abc import Iterator
from functools import partial

from cli.doctor.bill import RUNBOOK
from cli.doctor.findings import Finding, Scope
from cli.doctor.jobs import job_of
from cli.doctor.repair import repair_execution, settle_prediction
from cli.doctor.site import Site
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.domain.money.amounts import dollars
from vsl.domain.predictions.prediction import Outcome
from vsl.services.completion.settle_predictions import PATIENCE

_OPEN = """
    SELECT job_id::text, amount, completed_at FROM holds JOIN jobs USING (job_id)
    WHERE settled_at IS NULL AND completed_at < %s ORDER BY completed_at LIMIT %s
"""
_STILL_OPEN = """
    SELECT replicate_id FROM holds JOIN jobs USING (job_id)
    WHERE job_id = %s AND settled_at IS NULL
"""
# Every account by the running totals of `budgets` and by the sum of its movements.
_BALANCES = """
    WITH users AS (SELECT substr(owner, 6) AS user_id, * FROM budgets WHERE owner <> 'stage'),
    totals (account, total) AS (
        SELECT 'held:' || user_id, held FROM users
        UNION ALL SELECT 'credit:' || user_id, granted - credit_spent - credit_held FROM users
        UNION ALL SELECT 'invoice:' || user_id, credit_spent + credit_held - spent - held FROM users
        UNION ALL SELECT 'grants', -sum(granted)::bigint FROM users
        UNION ALL SELECT 'provider', spent FROM budgets WHERE owner = 'stage'
        UNION ALL SELECT 'stage', (SELECT coalesce(sum(spent), 0)::bigint FROM users) - spent
            FROM budgets WHERE owner = 'stage'
        UNION ALL SELECT 'held by all', held FROM budgets WHERE owner = 'stage'
    ),
    sums (account, balance) AS (
        SELECT account, balance FROM account_balances
        UNION ALL
        SELECT 'held by all', sum(balance)::bigint FROM account_balances WHERE left(account, 5) = 'held:'
    )
    SELECT account, coalesce(total, 0) AS total, coalesce(balance, 0) AS balance
    FROM totals FULL JOIN sums USING (account)
    WHERE coalesce(total, 0) <> coalesce(balance, 0)
    ORDER BY account
"""


def open_holds(site: Site, scope: Scope) -> Iterator[Finding]:
    """Money that is held for a job that ended longer ago than its settlement may take."""
    for row in site.rows(_OPEN, site.now() - PATIENCE - scope.young, scope.limit):
        ended = f"{row['completed_at']:%Y-%m-%d %H:%M}"
        yield Finding(
            check="open hold",
            subject=row["job_id"],
            what=f"ended at {ended} UTC, and its hold was never settled",
            money=dollars(row["amount"]),
            cure=partial(_settle, site, row["job_id"]),
        )


def balances(site: Site, _scope: Scope) -> Iterator[Finding]:
    """Running totals that are not the sums of their movements."""
    for row in site.rows(_BALANCES):
        total, balance = dollars(row["total"]), dollars(row["balance"])
        yield Finding(
            check="balance",
            subject=row["account"],
            what=f"is ${total} by the budgets and ${balance} by the ledger",
            money=abs(total - balance),
            advice=RUNBOOK,
        )


def frozen_models(site: Site, _scope: Scope) -> Iterator[Finding]:
    """Models that take no jobs until an operator says so."""
    for each in PostgresBudgets(site.postgres).frozen():
        yield Finding(
            check="frozen model",
            subject=each.model_id,
            what=f"takes no jobs since {each.frozen_at:%Y-%m-%d %H:%M} UTC: job {each.job_id} cost"
            f" ${dollars(each.cost)}, estimated ${dollars(each.estimate)}",
            advice=f"docs/operations.md#a-model-is-frozen, then `vsl models unfreeze {each.model_id}`",
        )


def _settle(site: Site, job_id: str) -> str:
    """As the repair does where the job's item is there; else by what the provider still knows."""
    item = site.tracking.get(job_id)
    if item is not None and item.unsettled:
        repair_execution(site)(job_id, "vsl doctor settles its hold.")
    still_open = site.rows(_STILL_OPEN, job_id)
    if not still_open:
        return "settled"
    replicate_id = still_open[0]["replicate_id"]
    if replicate_id is None:
        site.repository.release_hold(job_id)
        return "given back: there was no prediction"
    job = item.job if item else job_of(site, job_id)
    prediction = site.provider.get(replicate_id)
    over = prediction is not None and prediction.status.terminal
    outcome = Outcome.of(prediction, "doctor", job.output) if prediction and over else None
    settle_prediction(site)(job, replicate_id, outcome)
    return "settled" if outcome else "settled: the estimate stands for its cost"
