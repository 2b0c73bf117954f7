"""What must hold when the dust has settled, by the stand-in's own books and by every store."""

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

from tests.chaos.plan import PlannedJob
from tests.support import web
from tests.support.money_books import MoneyBooks
from tests.support.stack import Stack
from vsl.domain.money.amounts import micro_dollars

SETTLING_POLLS = 60
_GIVEN_UP = {"canceled", "aborted", "failed"}


@dataclass
class Verdict:
    """`faults` is empty when everything holds."""

    statuses: Counter[str] = field(default_factory=Counter)
    woken_by: Counter[str] = field(default_factory=Counter)
    predictions: int = 0
    orphaned: int = 0
    objects: int = 0
    charged: int = 0
    faults: list[str] = field(default_factory=list)


def check(stack: Stack, jobs: dict[str, PlannedJob]) -> Verdict:
    verdict = Verdict()
    by_prompt: dict[str, list[Any]] = {}
    for prediction in stack.control.predictions():
        by_prompt.setdefault(prediction.input["prompt"], []).append(prediction)
    recorded = _recorded(stack)
    tracking = stack.tracking_store()
    for job_id, job in jobs.items():
        status = stack.api.status(job_id)
        verdict.statuses[status["status"]] += 1
        name = f"{job.prompt} ({job_id}; {', '.join(job.faults) or 'no fault'})"
        if status["status"] != "succeeded":
            verdict.faults.append(
                f"{name} ended as {status['status']}: {status['errorCode']}: {status['error']}"
            )
        item = tracking.get(job_id)
        if recorded.get(job_id) != status["status"] or not item or item.status != status["status"]:
            verdict.faults.append(f"{name}: the stores disagree")
        elif item.outcome is not None:
            verdict.woken_by[item.outcome.source] += 1
        made = by_prompt.get(job.prompt, [])
        verdict.predictions += len(made)
        kept = [each for each in made if each.status not in _GIVEN_UP]
        verdict.orphaned += sum(each.status in {"canceled", "aborted"} for each in made)
        if len(kept) != 1 or kept[0].id != status["replicateId"]:
            verdict.faults.append(f"{name}: {len(kept)} predictions were paid for")
        for output in status["outputs"]:
            verdict.objects += 1
            content = web.get(output["originalUrl"]).content
            if hashlib.sha256(content).hexdigest() != output["sha256"]:
                verdict.faults.append(f"{name}: an object differs from its record")
    _money(stack, verdict)
    return verdict


def _money(stack: Stack, verdict: Verdict) -> None:
    """The ledger agrees with itself and with what the stand-in charged, to the micro-dollar."""
    charged = sum(
        micro_dollars(Decimal(str(prediction.cost_usd)))
        for prediction in stack.control.predictions()
        if prediction.billed
    )
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        for _ in range(SETTLING_POLLS):
            books = MoneyBooks.of_postgres(connection)
            held = sum(not hold.settled for hold in books.holds.values())
            verdict.charged = books.balances().get("provider", 0)
            if not held and verdict.charged == charged:
                break
            stack.invoke("PollPredictionsFunction", {})  # what no webhook has settled yet
            time.sleep(1)
        else:
            verdict.faults.append(
                f"the stand-in charged {charged}, the ledger says {verdict.charged}; {held} holds are open"
            )
    verdict.faults += books.faults()
    verdict.faults += [
        f"the cost of {job_id} is assumed" for job_id, hold in books.holds.items() if hold.assumed
    ]


def _recorded(stack: Stack) -> dict[str, str]:
    with psycopg.connect(stack.database_url) as connection:
        rows = connection.execute("SELECT job_id::text, status::text FROM jobs").fetchall()
    return dict(rows)
