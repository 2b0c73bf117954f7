"""The use cases over the stand-ins of a test, made anew at each access."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from tests.support.fakes import (
    NO_EXECUTIONS,
    MemoryCache,
    MemoryKeys,
    NoLimits,
    NoSlots,
    RecordingPublisher,
)
from tests.support.jobs import catalogue
from tests.support.memory_money import MemoryMoney
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.errors import VslError
from vsl.services.admission.create_job import CreateJob
from vsl.services.api.cancel_job import CancelJob
from vsl.services.completion.fail_job import FailJob
from vsl.services.completion.finalize_job import FinalizeJob
from vsl.services.completion.finish_job import FinishJob
from vsl.services.completion.publish_end import PublishEnd
from vsl.services.completion.record_failure import RecordFailure
from vsl.services.completion.repair_execution import RepairExecution
from vsl.services.completion.settle_predictions import SettlePredictions
from vsl.services.money.compute_cost import ComputeCost
from vsl.services.money.publish_alerts import PublishAlerts
from vsl.services.money.settle_orphan import SettleOrphan
from vsl.services.money.settle_prediction import SettlePrediction
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.limits import RateLimits, StatusCache
from vsl.services.ports.media import Uploads
from vsl.services.ports.pacing import Slots
from vsl.services.ports.provider import Provider, WebhookDeduplication, WebhookSecrets
from vsl.services.ports.publishing import EventPublisher
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore
from vsl.services.ports.workflow import Executions, TaskTokens
from vsl.services.submission.adopt_prediction import AdoptPrediction
from vsl.services.submission.attach_prediction import AttachPrediction
from vsl.services.submission.discard_prediction import DiscardPrediction
from vsl.services.submission.search_predictions import SearchPredictions
from vsl.services.submission.stop_prediction import StopPrediction
from vsl.services.submission.submit_prediction import SubmitPrediction
from vsl.services.waiting.await_prediction import AwaitPrediction
from vsl.services.waiting.check_job import CheckJob
from vsl.services.waiting.complete_wait import CompleteWait
from vsl.services.waiting.look_ahead import LookAhead
from vsl.services.waiting.poll_predictions import PollPredictions
from vsl.services.waiting.process_webhook import ProcessWebhook
from vsl.services.waiting.record_outcome import RecordOutcome
from vsl.services.waiting.resolve_timeout import ResolveTimeout
from vsl.services.waiting.verify_webhook import VerifyWebhook

GRACE = timedelta(seconds=45)


@dataclass(kw_only=True)
class UseCases:
    tracking: TrackingStore
    provider: Provider
    tokens: TaskTokens
    deduplication: WebhookDeduplication
    repository: JobRepository
    clock: Clock
    metrics: Metrics
    cache: StatusCache = field(default_factory=MemoryCache)
    limits: RateLimits = field(default_factory=NoLimits)
    slots: Slots = field(default_factory=lambda: cast("Any", NoSlots()))
    publisher: EventPublisher = field(default_factory=RecordingPublisher)
    executions: Executions = NO_EXECUTIONS
    catalogue: Catalogue = field(default_factory=catalogue)
    uploads: Uploads = field(default_factory=lambda: cast("Any", None))
    fixed_cost: Decimal | None = None

    @property
    def cancel_job(self) -> CancelJob:
        return CancelJob(
            tracking=self.tracking,
            provider=self.provider,
            complete_wait=self.complete_wait,
            record_outcome=self.record_outcome,
            clock=self.clock,
        )

    @property
    def submit_prediction(self) -> SubmitPrediction:
        return SubmitPrediction(
            tracking=self.tracking,
            provider=self.provider,
            catalogue=self.catalogue,
            uploads=self.uploads,
            api_url=lambda: "https://api.example.com/v1/",
            clock=self.clock,
            grace=GRACE,
            adopt=self.adopt_prediction,
            attach=self.attach_prediction,
        )

    @property
    def await_prediction(self) -> AwaitPrediction:
        return AwaitPrediction(self.tracking, self.clock, self.complete_wait)

    def process_webhook(self, secrets: WebhookSecrets) -> ProcessWebhook:
        return ProcessWebhook(
            tracking=self.tracking,
            provider=self.provider,
            deduplication=self.deduplication,
            clock=self.clock,
            metrics=self.metrics,
            verify=VerifyWebhook(secrets, self.clock, self.metrics),
            record_outcome=self.record_outcome,
            discard=self.discard_prediction,
            settle_prediction=self.settle_prediction,
            settle_orphan=self.settle_orphan,
        )

    def poll_predictions(
        self,
        report: Callable[[str, VslError], None],
        repair: Callable[[str], None],
        provider: Provider | None = None,
        rejoin: Callable[[str], None] = lambda _job_id: None,
    ) -> PollPredictions:
        check = CheckJob(
            tracking=self.tracking,
            provider=provider or self.provider,
            clock=self.clock,
            metrics=self.metrics,
            report=report,
            repair=repair,
            rejoin=rejoin,
            grace=GRACE,
            adopt=self.adopt_prediction,
            stop=StopPrediction(provider or self.provider),
            record_outcome=self.record_outcome,
            complete_wait=self.complete_wait,
        )
        look_ahead = LookAhead(provider or self.provider)
        return PollPredictions(self.tracking, self.clock, self.metrics, look_ahead, check)

    @property
    def resolve_timeout(self) -> ResolveTimeout:
        return ResolveTimeout(self.tracking, self.clock, StopPrediction(self.provider))

    @property
    def finalize_job(self) -> FinalizeJob:
        return FinalizeJob(self.tracking, self.clock, self.compute_cost, self.finish_job)

    @property
    def record_failure(self) -> RecordFailure:
        return RecordFailure(self.fail_job)

    @property
    def repair_execution(self) -> RepairExecution:
        return RepairExecution(
            tracking=self.tracking,
            executions=self.executions,
            publish_end=self.publish_end,
            settle_predictions=self.settle_predictions,
            fail=self.fail_job,
        )

    @property
    def settle_predictions(self) -> SettlePredictions:
        return SettlePredictions(
            repository=self.repository,
            tracking=self.tracking,
            clock=self.clock,
            stop=StopPrediction(self.provider),
            search=self.search_predictions,
            discard=self.discard_prediction,
            settle_prediction=self.settle_prediction,
            settle_orphan=self.settle_orphan,
        )

    @property
    def fail_job(self) -> FailJob:
        return FailJob(
            tracking=self.tracking,
            provider=self.provider,
            clock=self.clock,
            cost=self.compute_cost,
            adopt=self.adopt_prediction,
            finish=self.finish_job,
            publish_end=self.publish_end,
            slots=self.slots,
        )

    @property
    def finish_job(self) -> FinishJob:
        return FinishJob(self.repository, self.tracking, self.cache, self.metrics, self.publish_end)

    @property
    def publish_end(self) -> PublishEnd:
        return PublishEnd(self.tracking, self.limits, self.publisher, self.clock)

    @property
    def adopt_prediction(self) -> AdoptPrediction:
        return AdoptPrediction(self.tracking, self.search_predictions, self.attach_prediction)

    @property
    def search_predictions(self) -> SearchPredictions:
        return SearchPredictions(self.tracking, self.provider, self.clock)

    @property
    def attach_prediction(self) -> AttachPrediction:
        return AttachPrediction(self.tracking, self.clock, self.discard_prediction)

    @property
    def discard_prediction(self) -> DiscardPrediction:
        return DiscardPrediction(self.tracking, self.provider, self.metrics)

    @property
    def record_outcome(self) -> RecordOutcome:
        return RecordOutcome(self.tracking, self.clock, self.metrics, self.complete_wait)

    @property
    def complete_wait(self) -> CompleteWait:
        return CompleteWait(self.tracking, self.tokens, self.clock)

    @property
    def settle_prediction(self) -> SettlePrediction:
        return SettlePrediction(
            repository=self.repository,
            tracking=self.tracking,
            cache=self.cache,
            clock=self.clock,
            metrics=self.metrics,
            cost=self.compute_cost,
        )

    @property
    def settle_orphan(self) -> SettleOrphan:
        return SettleOrphan(self.repository, self.tracking, self.compute_cost)

    @property
    def create_job(self) -> CreateJob:
        publish_alerts = PublishAlerts(MemoryMoney(), RecordingPublisher(), self.metrics)
        return CreateJob(MemoryKeys(), self.repository, self.tracking, self.metrics, publish_alerts)

    @property
    def compute_cost(self) -> ComputeCost:
        if self.fixed_cost is not None:
            return cast("ComputeCost", lambda _job, _outcome: self.fixed_cost)
        return ComputeCost(self.catalogue, self.repository)
