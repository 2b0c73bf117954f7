"""The adapters of this process, each made once and only when a function asks for it.

Imports stand inside the factories: a function pays for the libraries it uses and for no other.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from vsl.adapters.clock import SystemClock
from vsl.adapters.parameters import Parameters, Secret
from vsl.runtime.observability import metrics
from vsl.runtime.settings import settings

if TYPE_CHECKING:
    from vsl.adapters.announcements import AwsAnnouncements
    from vsl.adapters.callback_sender import CallbackSender
    from vsl.adapters.dynamodb import DynamoLiveJobs
    from vsl.adapters.idempotency import DynamoIdempotency, RemainingTime
    from vsl.adapters.object_removal import ObjectRemoval
    from vsl.adapters.postgres import PostgresAccounting
    from vsl.adapters.postgres_callbacks import PostgresCallbackLog
    from vsl.adapters.postgres_history import PostgresHistory
    from vsl.adapters.postgres_operations import PostgresOperations
    from vsl.adapters.redis_limits import RedisRateLimits
    from vsl.adapters.redis_stores import RedisStatusCache, RedisWebhookMemory
    from vsl.adapters.replicate import ReplicateProvider
    from vsl.adapters.signer import S3Signer
    from vsl.adapters.stepfunctions import TaskCallbacks
    from vsl.adapters.uploads import S3Uploads
    from vsl.adapters.webhook_secrets import ProviderWebhookSecrets
    from vsl.domain.catalogue import Catalogue
    from vsl.services.deliver_callback import Messenger
    from vsl.services.finish import Books

clock = SystemClock()


class _Lazy:
    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def lazily[Adapter](make: Callable[[], Adapter]) -> Adapter:
    """The adapter, made on its first use: for what a function only needs on a bad day."""
    return cast("Adapter", _Lazy(make))


@cache
def parameters() -> Parameters:
    return Parameters(settings().ssm_prefix)


def catalogue() -> "Catalogue":
    from vsl.adapters.catalogue import load_catalogue

    return load_catalogue(settings().models_config)


@cache
def live_jobs() -> "DynamoLiveJobs":
    from vsl.adapters.dynamodb import DynamoLiveJobs

    return DynamoLiveJobs(settings().jobs_table)


def idempotency(context: "RemainingTime") -> "DynamoIdempotency":
    """For one invocation: a key is claimed for no longer than it may last."""
    from vsl.adapters.idempotency import DynamoIdempotency

    return DynamoIdempotency(settings().idempotency_table, context)


def database_url() -> Secret:
    return parameters().secret("database-url")


@cache
def accounting() -> "PostgresAccounting":
    from vsl.adapters.postgres import PostgresAccounting

    return PostgresAccounting(database_url())


@cache
def history() -> "PostgresHistory":
    from vsl.adapters.postgres_history import PostgresHistory

    return PostgresHistory(database_url())


@cache
def operations() -> "PostgresOperations":
    from vsl.adapters.postgres_operations import PostgresOperations

    return PostgresOperations(database_url())


@cache
def provider() -> "ReplicateProvider":
    from vsl.adapters.replicate import ReplicateProvider

    return ReplicateProvider(settings().replicate_api_url, parameters().secret("replicate-token"))


@cache
def callbacks() -> "TaskCallbacks":
    from vsl.adapters.stepfunctions import TaskCallbacks

    return TaskCallbacks()


@cache
def rate_limits() -> "RedisRateLimits":
    from vsl.adapters.redis_limits import RedisRateLimits

    return RedisRateLimits(redis_url())


@cache
def status_cache() -> "RedisStatusCache":
    from vsl.adapters.redis_stores import RedisStatusCache

    return RedisStatusCache(redis_url())


@cache
def webhook_memory() -> "RedisWebhookMemory":
    from vsl.adapters.redis_stores import RedisWebhookMemory

    return RedisWebhookMemory(redis_url())


@cache
def redis_url() -> Secret:
    """One and the same for all stores, which share the client made for it."""
    return parameters().secret("redis-url")


@cache
def signer() -> "S3Signer":
    from vsl.adapters.signer import S3Signer

    return S3Signer(settings().media_bucket, settings().signed_url_seconds, settings().media_access)


@cache
def uploads() -> "S3Uploads":
    from vsl.adapters.uploads import S3Uploads

    return S3Uploads(settings().media_bucket)


@cache
def object_removal() -> "ObjectRemoval":
    from vsl.adapters.aws import client
    from vsl.adapters.object_removal import ObjectRemoval

    return ObjectRemoval(settings().media_bucket, client("s3"))


@cache
def announcements() -> "AwsAnnouncements":
    from vsl.adapters.announcements import AwsAnnouncements

    return AwsAnnouncements(settings().callbacks_queue, settings().event_bus)


@cache
def callback_log() -> "PostgresCallbackLog":
    from vsl.adapters.postgres_callbacks import PostgresCallbackLog

    return PostgresCallbackLog(database_url())


def callback_secret() -> str:
    return parameters().get("callback-signing-secret")


def messenger() -> "Messenger":
    from vsl.services.deliver_callback import Messenger

    return Messenger(
        accounting=accounting(),
        log=callback_log(),
        post=_callback_sender(),
        signer=signer(),
        secret=callback_secret,
        clock=clock,
        metrics=metrics,
    )


@cache
def _callback_sender() -> "CallbackSender":
    from vsl.adapters.callback_sender import CallbackSender

    return CallbackSender(local=settings().allow_http_inputs)


def books() -> "Books":
    from vsl.services.finish import Books

    return Books(
        catalogue=catalogue(),
        accounting=accounting(),
        live=live_jobs(),
        cache=status_cache(),
        limits=rate_limits(),
        announcements=announcements(),
        clock=clock,
        metrics=metrics,
    )


@cache
def webhook_secrets() -> "ProviderWebhookSecrets":
    from vsl.adapters.webhook_secrets import ProviderWebhookSecrets

    return ProviderWebhookSecrets(parameters(), lambda: provider().webhook_secret())
