"""The repair of the product over the stores of a site."""

from cli.doctor.site import NoMetrics, Site
from vsl.adapters.aws.publishing import AwsEventPublisher
from vsl.adapters.clock import SystemClock
from vsl.services.completion.fail_job import FailJob
from vsl.services.completion.finish_job import FinishJob
from vsl.services.completion.publish_end import PublishEnd
from vsl.services.completion.repair_execution import RepairExecution
from vsl.services.completion.settle_predictions import SettlePredictions
from vsl.services.money.compute_cost import ComputeCost
from vsl.services.money.settle_orphan import SettleOrphan
from vsl.services.money.settle_prediction import SettlePrediction
from vsl.services.submission.adopt_prediction import AdoptPrediction
from vsl.services.submission.attach_prediction import AttachPrediction
from vsl.services.submission.discard_prediction import DiscardPrediction
from vsl.services.submission.search_predictions import SearchPredictions
from vsl.services.submission.stop_prediction import StopPrediction


def compute_cost(site: Site) -> ComputeCost:
    return ComputeCost(site.catalogue, site.repository)


def settle_prediction(site: Site) -> SettlePrediction:
    return SettlePrediction(
        repository=site.repository,
        tracking=site.tracking,
        cache=site.cache,
        clock=SystemClock(),
        metrics=NoMetrics(),
        cost=compute_cost(site),
    )


def settle_orphan(site: Site) -> SettleOrphan:
    return SettleOrphan(site.repository, site.tracking, compute_cost(site))


def repair_execution(site: Site) -> RepairExecution:
    tracking, repository, cache, clock = site.tracking, site.repository, site.cache, SystemClock()
    cost = compute_cost(site)
    publisher = AwsEventPublisher(site.queue("callbacks"), site.event_bus)
    publish_end = PublishEnd(tracking, site.limits, publisher, clock)
    discard = DiscardPrediction(tracking, site.provider, NoMetrics())
    search = SearchPredictions(tracking, site.provider, clock)
    fail = FailJob(
        tracking=tracking,
        provider=site.provider,
        clock=clock,
        cost=cost,
        adopt=AdoptPrediction(tracking, search, AttachPrediction(tracking, clock, discard)),
        finish=FinishJob(repository, tracking, cache, NoMetrics(), publish_end),
        publish_end=publish_end,
        slots=site.slots,
    )
    settle_predictions = SettlePredictions(
        repository=repository,
        tracking=tracking,
        clock=clock,
        stop=StopPrediction(site.provider),
        search=search,
        discard=discard,
        settle_prediction=settle_prediction(site),
        settle_orphan=settle_orphan(site),
    )
    return RepairExecution(tracking, site.executions, publish_end, settle_predictions, fail)
