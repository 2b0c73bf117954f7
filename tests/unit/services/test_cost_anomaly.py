"""A cost far above its estimate is counted, at the end and when it is learnt later."""

from decimal import Decimal

import pytest

from tests.support.fakes import START, RecordingMetrics
from tests.unit.services.conftest import World
from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.money.pricing import ANOMALY, is_anomalous
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.completion.end_metrics import measure_end

ESTIMATE = Decimal("0.003")  # of the world's job
MOST = ANOMALY * ESTIMATE
BEYOND = MOST + Decimal("0.000001")


@pytest.mark.parametrize(
    ("estimated", "cost", "anomalous"),
    [
        (ESTIMATE, MOST, False),
        (ESTIMATE, BEYOND, True),
        (ESTIMATE, None, False),
        (Decimal(0), Decimal(1), False),
    ],
)
def test_it_is_above_three_times_the_estimate(
    estimated: Decimal, cost: Decimal | None, *, anomalous: bool
) -> None:
    assert is_anomalous(estimated, cost) is anomalous


@pytest.mark.parametrize(
    ("cost", "settled", "counts"), [(MOST, True, 0), (BEYOND, True, 1), (BEYOND, False, 0)]
)
def test_an_end_counts_it(world: World, cost: Decimal, *, settled: bool, counts: int) -> None:
    metrics = RecordingMetrics()
    end = FinishedJob(world.job, JobStatus.SUCCEEDED, START, actual_cost=cost, settled=settled)
    measure_end(end, metrics)
    anomalies = [known for name, known in metrics.counted if name == "CostAnomaly"]
    assert anomalies == [{"modelId": world.job.model_id}] * counts


@pytest.mark.parametrize(("cost", "counts"), [(MOST, 0), (BEYOND, 1)])
def test_a_later_settlement_counts_it(world: World, cost: Decimal, counts: int) -> None:
    world.repository.create_job(world.job, None)
    end = FinishedJob(world.job, JobStatus.FAILED, START, replicate_id="p1", settled=False)
    world.repository.finish_job(end)
    world.fixed_cost = cost
    world.settle_prediction(world.job, "p1", Outcome("p1", PredictionStatus.SUCCEEDED, "webhook"))
    assert world.metrics.names().count("CostAnomaly") == counts
    assert (world.job.model_id in world.repository.money.frozen) is bool(counts)
