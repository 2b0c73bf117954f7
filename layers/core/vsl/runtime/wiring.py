"""The adapters of this process, each made once and only when a function asks for it.

Imports stand inside the factories: a function pays for the libraries it uses and for no other.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from vsl.adapters.aws.parameters import Parameters, Secret
from vsl.adapters.clock import SystemClock
from vsl.runtime.settings import settings

if TYPE_CHECKING:
    from vsl.adapters.aws.cloudwatch import CloudWatchHealth
    from vsl.adapters.aws.publishing import AwsEventPublisher
    from vsl.adapters.aws.step_functions import (
        DescribedExecutions,
        StepFunctionsTaskTokens,
        SynchronousApiWorkflow,
    )
    from vsl.adapters.cloudfront.signer import CloudFrontAddresses
    from vsl.adapters.dynamodb.api_keys import DynamoApiKeys
    from vsl.adapters.dynamodb.idempotency import DynamoIdempotency, RemainingTime
    from vsl.adapters.dynamodb.key_records import DynamoKeyRecords
    from vsl.adapters.dynamodb.lease import DynamoLease
    from vsl.adapters.dynamodb.recent_requests import DynamoRecentRequests
    from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
    from vsl.adapters.http.callback_sender import CallbackSender
    from vsl.adapters.postgres.budgets import PostgresBudgets
    from vsl.adapters.postgres.callback_log import PostgresCallbackLog
    from vsl.adapters.postgres.connection import PostgresConnection
    from vsl.adapters.postgres.erasure import PostgresErasure
    from vsl.adapters.postgres.job_queries import PostgresJobQueries
    from vsl.adapters.postgres.job_repository import PostgresJobRepository
    from vsl.adapters.postgres.operations_queries import PostgresOperationsQueries
    from vsl.adapters.postgres.prediction_queries import PostgresPredictionQueries
    from vsl.adapters.redis.rate_limits import RedisRateLimits
    from vsl.adapters.redis.slots import RedisSlots
    from vsl.adapters.redis.stores import RedisStatusCache, RedisWebhookDeduplication
    from vsl.adapters.redis.wait_places import RedisWaitPlaces
    from vsl.adapters.replicate.client import ReplicateProvider
    from vsl.adapters.replicate.webhook_secrets import ProviderWebhookSecrets
    from vsl.adapters.s3.large_outputs import LargeOutputs
    from vsl.adapters.s3.object_removal import ObjectRemoval
    from vsl.adapters.s3.objects import ObjectStore
    from vsl.adapters.s3.stored_texts import S3StoredTexts
    from vsl.adapters.s3.uploads import S3Uploads
    from vsl.adapters.s3.user_files import S3UserFiles
    from vsl.domain.catalogue.catalogue import Catalogue
    from vsl.domain.jobs.owner_names import OwnerNames
    from vsl.services.ports.media import Signer

clock = SystemClock()


class _Lazy:
    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def lazily[Adapter](make: Callable[[], Adapter]) -> Adapter:
    """The adapter, made on its first use: for what a function rarely needs."""
    return cast("Adapter", _Lazy(make))


@cache
def parameters() -> Parameters:
    return Parameters(settings().ssm_prefix)


def catalogue() -> "Catalogue":
    from vsl.adapters.aws.catalogue import load_catalogue

    return load_catalogue(settings().models_config, settings().hardware_config)


@cache
def tracking_store() -> "DynamoTrackingStore":
    from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore

    return DynamoTrackingStore(settings().jobs_table, large_outputs())


@cache
def large_outputs() -> "LargeOutputs":
    from vsl.adapters.s3.large_outputs import LargeOutputs

    return LargeOutputs(objects)


def objects() -> "ObjectStore":
    from vsl.adapters.aws.clients import client
    from vsl.adapters.s3.objects import ObjectStore

    return ObjectStore(settings().media_bucket, client("s3"))


def read_object(key: str) -> bytes | None:
    """Of a small object in the bucket; None when there is none."""
    return objects().get(key)


def idempotency(context: "RemainingTime", *, bound_later: bool) -> "DynamoIdempotency":
    """For one invocation: a key is claimed for no longer than it may last.

    `bound_later`: the machine that asks has CreateJob bind the key. One of the version before does not,
    and its claims last as long as they did.
    """
    from vsl.adapters.dynamodb.idempotency import DynamoIdempotency
    from vsl.domain.jobs.idempotency import CLAIM_SECONDS, KEPT_SECONDS

    seconds = CLAIM_SECONDS if bound_later else KEPT_SECONDS
    return DynamoIdempotency(settings().idempotency_table, context, claim_seconds=seconds)


@cache
def key_records() -> "DynamoKeyRecords":
    from vsl.adapters.dynamodb.key_records import DynamoKeyRecords

    return DynamoKeyRecords(settings().idempotency_table, clock.now)


@cache
def recent_requests() -> "DynamoRecentRequests":
    from vsl.adapters.dynamodb.recent_requests import DynamoRecentRequests

    return DynamoRecentRequests(settings().idempotency_table)


@cache
def api_keys() -> "DynamoApiKeys":
    from vsl.adapters.dynamodb.api_keys import DynamoApiKeys

    return DynamoApiKeys(settings().api_keys_table)


@cache
def polling_lease() -> "DynamoLease":
    from vsl.adapters.dynamodb.lease import DynamoLease

    return DynamoLease(settings().idempotency_table, "poll-predictions", clock.now)


@cache
def dispatching_lease() -> "DynamoLease":
    from vsl.adapters.dynamodb.lease import DynamoLease

    return DynamoLease(settings().idempotency_table, "dispatch-queue", clock.now)


@cache
def postgres() -> "PostgresConnection":
    """One for all adapters of this process."""
    from vsl.adapters.postgres.connection import PostgresConnection

    return PostgresConnection(parameters().secret("database-url"))


@cache
def job_repository() -> "PostgresJobRepository":
    from vsl.adapters.postgres.job_repository import PostgresJobRepository

    return PostgresJobRepository(postgres(), settings().budgets)


@cache
def budgets() -> "PostgresBudgets":
    from vsl.adapters.postgres.budgets import PostgresBudgets

    return PostgresBudgets(postgres(), settings().budgets)


@cache
def job_queries() -> "PostgresJobQueries":
    from vsl.adapters.postgres.job_queries import PostgresJobQueries

    return PostgresJobQueries(postgres())


@cache
def prediction_queries() -> "PostgresPredictionQueries":
    from vsl.adapters.postgres.prediction_queries import PostgresPredictionQueries

    return PostgresPredictionQueries(postgres())


@cache
def stored_texts() -> "S3StoredTexts":
    from vsl.adapters.aws.clients import client
    from vsl.adapters.s3.stored_texts import S3StoredTexts

    return S3StoredTexts(settings().media_bucket, client("s3"))


def content_type(content: bytes, name: str) -> str:
    """Of a whole file, by its first bytes."""
    from vsl.adapters.media.sniff import HEAD_SIZE, sniff

    return sniff(content[:HEAD_SIZE], name).content_type


@cache
def user_files() -> "S3UserFiles":
    from vsl.adapters.aws.clients import client
    from vsl.adapters.s3.user_files import S3UserFiles

    return S3UserFiles(settings().media_bucket, client("s3"), owner_names())


@cache
def erasure() -> "PostgresErasure":
    from vsl.adapters.postgres.erasure import PostgresErasure

    return PostgresErasure(postgres())


@cache
def operations() -> "PostgresOperationsQueries":
    from vsl.adapters.postgres.operations_queries import PostgresOperationsQueries

    return PostgresOperationsQueries(postgres())


@cache
def provider() -> "ReplicateProvider":
    from vsl.adapters.replicate.client import ReplicateProvider

    return ReplicateProvider(settings().replicate_api_url, replicate_token())


def replicate_token() -> Secret:
    return parameters().secret("replicate-token")


@cache
def api_workflow() -> "SynchronousApiWorkflow":
    from vsl.adapters.aws.step_functions import SynchronousApiWorkflow

    return SynchronousApiWorkflow(settings().generate_media)


@cache
def task_tokens() -> "StepFunctionsTaskTokens":
    from vsl.adapters.aws.step_functions import StepFunctionsTaskTokens

    return StepFunctionsTaskTokens()


@cache
def executions() -> "DescribedExecutions":
    from vsl.adapters.aws.step_functions import DescribedExecutions

    return DescribedExecutions()


@cache
def rate_limits() -> "RedisRateLimits":
    from vsl.adapters.redis.rate_limits import RedisRateLimits

    return RedisRateLimits(redis_url())


@cache
def slots() -> "RedisSlots":
    from vsl.adapters.redis.slots import RedisSlots

    return RedisSlots(redis_url(), settings().creations_per_minute)


@cache
def service_health() -> "CloudWatchHealth":
    from vsl.adapters.aws.cloudwatch import CloudWatchHealth

    return CloudWatchHealth(settings().stage)


@cache
def wait_places() -> "RedisWaitPlaces":
    from vsl.adapters.redis.wait_places import RedisWaitPlaces

    return RedisWaitPlaces(redis_url(), settings().waits_per_user, settings().waits_at_once)


@cache
def status_cache() -> "RedisStatusCache":
    from vsl.adapters.redis.stores import RedisStatusCache

    return RedisStatusCache(redis_url())


@cache
def webhook_deduplication() -> "RedisWebhookDeduplication":
    from vsl.adapters.redis.stores import RedisWebhookDeduplication

    return RedisWebhookDeduplication(redis_url())


@cache
def redis_url() -> Secret:
    """One and the same for all stores, which share the client made for it."""
    return parameters().secret("redis-url")


@cache
def signer() -> "Signer":
    if settings().media_delivery == "cloudfront":
        return _cloudfront_addresses()
    from vsl.adapters.s3.signer import S3Signer

    return S3Signer(settings().media_bucket, settings().signed_url_seconds, settings().media_access)


def _cloudfront_addresses() -> "CloudFrontAddresses":
    from vsl.adapters.cloudfront.signer import CloudFrontAddresses

    return CloudFrontAddresses(
        parameters().secret("media-delivery"),
        parameters().secret("media-private-key"),
        settings().signed_url_seconds,
    )


@cache
def owner_names() -> "OwnerNames":
    from vsl.domain.jobs.owner_names import OwnerNames

    return OwnerNames(
        opaque=settings().owner_names == "opaque",
        secrets=lambda: parameters().find("owner-name-secret"),
    )


@cache
def uploads() -> "S3Uploads":
    from vsl.adapters.s3.uploads import S3Uploads

    return S3Uploads(settings().media_bucket, owner_names())


@cache
def object_removal() -> "ObjectRemoval":
    from vsl.adapters.aws.clients import client
    from vsl.adapters.s3.object_removal import ObjectRemoval

    return ObjectRemoval(settings().media_bucket, client("s3"), owner_names())


@cache
def event_publisher() -> "AwsEventPublisher":
    from vsl.adapters.aws.publishing import AwsEventPublisher

    return AwsEventPublisher(settings().callbacks_queue, settings().event_bus)


@cache
def callback_log() -> "PostgresCallbackLog":
    from vsl.adapters.postgres.callback_log import PostgresCallbackLog

    return PostgresCallbackLog(postgres())


def callback_secret() -> str:
    return parameters().get("callback-signing-secret")


@cache
def callback_sender() -> "CallbackSender":
    from vsl.adapters.http.callback_sender import CallbackSender

    return CallbackSender(local=settings().allow_http_inputs)


@cache
def webhook_secrets() -> "ProviderWebhookSecrets":
    from vsl.adapters.replicate.webhook_secrets import ProviderWebhookSecrets

    return ProviderWebhookSecrets(parameters(), lambda: provider().webhook_secret())
