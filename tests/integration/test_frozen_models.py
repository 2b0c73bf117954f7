"""The database freezes a model by the rule of the domain, and takes no jobs for it until it is unfrozen."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.fakes import START
from tests.support.jobs import make_job
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.errors import ModelFrozen
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus
from vsl.domain.money.amounts import micro_dollars
from vsl.domain.money.pricing import ANOMALY, is_anomalous

pytestmark = pytest.mark.integration

ESTIMATE = Decimal("0.003")
MICRO = Decimal("0.000001")


def end(repository: PostgresJobRepository, job: Job, cost: Decimal | None) -> None:
    repository.create_job(job, None)
    finished = FinishedJob(
        job=job,
        status=JobStatus.SUCCEEDED,
        completed_at=START + timedelta(seconds=9),
        replicate_id="p-" + job.job_id,
        attempt=1,
        actual_cost=cost,
    )
    repository.finish_job(finished)


@pytest.mark.parametrize("above", [-MICRO, Decimal(0), MICRO])
@pytest.mark.parametrize("estimated", [Decimal(0), MICRO, ESTIMATE])
def test_the_database_and_the_domain_agree(
    connection: PostgresConnection, estimated: Decimal, above: Decimal
) -> None:
    cost = max(Decimal(0), ANOMALY * estimated + above)
    end(PostgresJobRepository(connection), make_job(estimated_cost=estimated), cost)
    frozen = PostgresBudgets(connection).frozen()
    assert bool(frozen) is is_anomalous(estimated, cost)


def test_a_frozen_model_takes_no_jobs_until_it_is_unfrozen(connection: PostgresConnection) -> None:
    repository, budgets = PostgresJobRepository(connection), PostgresBudgets(connection)
    first = make_job("first")
    end(repository, first, ESTIMATE * 4)
    (frozen,) = budgets.frozen()
    assert (frozen.model_id, frozen.job_id) == (first.model_id, first.job_id)
    assert (frozen.estimate, frozen.cost) == (3000, 12000)
    with pytest.raises(ModelFrozen):
        repository.create_job(make_job("refused"), None)
    assert repository.status(make_job("refused").job_id) is None
    repository.create_job(make_job("another model", model_id="musicgen"), None)
    assert budgets.unfreeze(first.model_id)
    assert not budgets.unfreeze(first.model_id)
    assert budgets.frozen() == []
    repository.create_job(make_job("again"), None)


def test_what_is_unfrozen_stays_so_when_its_job_is_settled_again(
    connection: PostgresConnection,
) -> None:
    """A late webhook repeats the settlement; the operator has decided."""
    repository, budgets = PostgresJobRepository(connection), PostgresBudgets(connection)
    job, cost = make_job(), ESTIMATE * 4
    end(repository, job, cost)
    budgets.unfreeze(job.model_id)
    repository.settle_prediction(job.job_id, "p-" + job.job_id, cost, None, None)
    assert budgets.frozen() == []


def test_the_user_pays_no_more_than_the_hold(connection: PostgresConnection) -> None:
    repository = PostgresJobRepository(connection)
    job = make_job()
    end(repository, job, ESTIMATE * 4)
    paid = connection.rows("SELECT charged, overrun FROM holds", ())
    assert paid == [{"charged": micro_dollars(ESTIMATE), "overrun": 3 * micro_dollars(ESTIMATE)}]
