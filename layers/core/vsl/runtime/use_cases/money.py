"""The use cases of services/money."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import observability, wiring
from vsl.runtime.settings import settings

if TYPE_CHECKING:
    from vsl.services.money.compute_cost import ComputeCost
    from vsl.services.money.estimate_job import EstimateJob
    from vsl.services.money.get_budget import GetBudget
    from vsl.services.money.get_budgets import GetBudgets
    from vsl.services.money.get_ledger import GetLedger
    from vsl.services.money.get_usage import GetUsage
    from vsl.services.money.grant_credits import GrantCredits
    from vsl.services.money.publish_alerts import PublishAlerts
    from vsl.services.money.set_budget import SetBudget
    from vsl.services.money.settle_orphan import SettleOrphan
    from vsl.services.money.settle_prediction import SettlePrediction
    from vsl.services.ports.jobs import JobRepository
    from vsl.services.ports.limits import StatusCache


@cache
def publish_alerts() -> "PublishAlerts":
    from vsl.services.money.publish_alerts import PublishAlerts

    return PublishAlerts(
        wiring.lazily(wiring.budgets), wiring.lazily(wiring.event_publisher), observability.metrics
    )


@cache
def estimate_job() -> "EstimateJob":
    from vsl.services.money.estimate_job import EstimateJob
    from vsl.services.money.foresee_admission import ForeseeAdmission

    budgets = wiring.lazily(wiring.budgets)
    return EstimateJob(
        catalogue=wiring.lazily(wiring.catalogue),
        allow_http=settings().allow_http_inputs,
        foresee_admission=ForeseeAdmission(budgets, budgets, wiring.clock),
        queue=wiring.lazily(wiring.slots),
        clock=wiring.clock,
    )


@cache
def get_budget() -> "GetBudget":
    from vsl.services.money.get_budget import GetBudget

    return GetBudget(wiring.lazily(wiring.budgets), wiring.clock)


@cache
def get_budgets() -> "GetBudgets":
    from vsl.services.money.get_budgets import GetBudgets

    return GetBudgets(wiring.lazily(wiring.budgets), wiring.clock)


@cache
def set_budget() -> "SetBudget":
    from vsl.services.money.set_budget import SetBudget

    return SetBudget(wiring.lazily(wiring.budgets), wiring.clock)


@cache
def grant_credits() -> "GrantCredits":
    from vsl.services.money.grant_credits import GrantCredits

    return GrantCredits(wiring.lazily(wiring.budgets))


@cache
def get_usage() -> "GetUsage":
    from vsl.services.money.get_usage import GetUsage

    return GetUsage(wiring.lazily(wiring.budgets), wiring.clock)


@cache
def get_ledger() -> "GetLedger":
    from vsl.services.money.get_ledger import GetLedger

    return GetLedger(wiring.lazily(wiring.budgets), wiring.lazily(wiring.job_repository))


def compute_cost(repository: "JobRepository") -> "ComputeCost":
    from vsl.services.money.compute_cost import ComputeCost

    # For jobs of an older version.
    return ComputeCost(wiring.lazily(wiring.catalogue), repository)


def settle_prediction(repository: "JobRepository", cache: "StatusCache") -> "SettlePrediction":
    from vsl.services.money.settle_prediction import SettlePrediction

    return SettlePrediction(
        repository=repository,
        tracking=wiring.tracking_store(),
        cache=cache,
        clock=wiring.clock,
        metrics=observability.metrics,
        cost=compute_cost(repository),
    )


def settle_orphan(repository: "JobRepository") -> "SettleOrphan":
    from vsl.services.money.settle_orphan import SettleOrphan

    return SettleOrphan(repository, wiring.tracking_store(), compute_cost(repository))
