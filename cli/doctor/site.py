"""One deployment as the doctor sees it: its stores, its provider, its addresses."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import dict_row

from cli.client.errors import CommandError
from cli.client.target import stack_facts
from database.address import here
from devstack.distribution.description import distributes
from devstack.engine import REGION
from devstack.paths import HARDWARE_CONFIG, MODELS_CONFIG
from vsl.adapters.aws import clients
from vsl.adapters.aws.catalogue import load_catalogue
from vsl.adapters.aws.parameters import Parameters
from vsl.adapters.aws.step_functions import DescribedExecutions
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.rate_limits import RedisRateLimits
from vsl.adapters.redis.slots import RedisSlots
from vsl.adapters.redis.stores import RedisStatusCache
from vsl.adapters.replicate.client import ReplicateProvider
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.jobs.ids import timestamp_of
from vsl.domain.jobs.owner_names import OWNER_NAME_SECRET, OwnerNames

CONNECT_SECONDS = 5
STATEMENT_MILLISECONDS = 30_000


class SiteError(RuntimeError):
    """The deployment cannot be looked at; the message says what to do."""


class NoMetrics:
    """A repair by hand counts in no statistics."""

    def count(self, name: str, /, **dimensions: str) -> None: ...

    def seconds(self, name: str, value: float, /, **dimensions: str) -> None: ...

    def record(self, values: Mapping[str, float], /, **dimensions: str) -> None: ...


@dataclass(frozen=True)
class Site:
    """Secrets come from SSM below /vsl/{stage}/, as the functions have them."""

    stage: str
    table: str
    bucket: str
    api_url: str
    replicate_url: str
    download_origins: tuple[str, ...]
    models_config: str
    event_bus: str = "default"
    opaque_names: bool = False
    distributed: bool = False
    """Whether stored files are read at a distribution (MediaDelivery)."""

    @property
    def database_url(self) -> str:
        return here(self.parameters.get("database-url"))

    @cached_property
    def parameters(self) -> Parameters:
        return Parameters(f"/vsl/{self.stage}/")

    @cached_property
    def tracking(self) -> DynamoTrackingStore:
        return DynamoTrackingStore(self.table)

    @cached_property
    def postgres(self) -> PostgresConnection:
        return PostgresConnection(lambda: self.database_url)

    @cached_property
    def repository(self) -> PostgresJobRepository:
        return PostgresJobRepository(self.postgres)

    @cached_property
    def redis(self) -> RedisClient:
        return RedisClient(self.parameters.secret("redis-url"))

    @cached_property
    def cache(self) -> RedisStatusCache:
        return RedisStatusCache(lambda: self.parameters.get("redis-url"), self.redis)

    @cached_property
    def limits(self) -> RedisRateLimits:
        return RedisRateLimits(lambda: self.parameters.get("redis-url"), self.redis)

    @cached_property
    def slots(self) -> RedisSlots:
        # Jobs are taken out of the queue; for that the rate does not matter.
        return RedisSlots(lambda: self.parameters.get("redis-url"), 600, self.redis)

    @cached_property
    def provider(self) -> ReplicateProvider:
        return ReplicateProvider(self.replicate_url, lambda: self.parameters.get("replicate-token"))

    @cached_property
    def owner_names(self) -> OwnerNames:
        return OwnerNames(
            opaque=self.opaque_names,
            secrets=lambda: self.parameters.find(OWNER_NAME_SECRET),
        )

    @cached_property
    def executions(self) -> DescribedExecutions:
        return DescribedExecutions()

    @cached_property
    def catalogue(self) -> Catalogue:
        return load_catalogue(self.models_config, str(HARDWARE_CONFIG))

    @property
    def s3(self) -> Any:
        return clients.client("s3", read_timeout=60)

    @property
    def sqs(self) -> Any:
        return clients.client("sqs")

    def now(self) -> datetime:
        return datetime.now(UTC)

    def queue(self, name: str) -> str:
        """The address of a queue of this stage."""
        return str(self.sqs.get_queue_url(QueueName=f"vsl-{self.stage}-{name}")["QueueUrl"])

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Raises SiteError when PostgreSQL does not answer."""
        with self.sql() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode(), values).fetchall()

    def sql(self) -> psycopg.Connection:
        try:
            return psycopg.connect(
                self.database_url,
                connect_timeout=CONNECT_SECONDS,
                options=f"-c statement_timeout={STATEMENT_MILLISECONDS}",
            )
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise SiteError(f"PostgreSQL cannot be reached from here: {reason}") from error

    def forget_tracking_item(self, job_id: str) -> None:
        clients.client("dynamodb").delete_item(
            TableName=self.table,
            Key={"jobId": {"S": job_id}, "timestamp": {"N": str(timestamp_of(job_id))}},
        )

    def close(self) -> None:
        for adapter in (self.postgres, self.redis, self.provider):
            adapter.close()


def local_site(document: Mapping[str, Any]) -> Site:
    """The site of a running local stack; from here on this process speaks to its engine."""
    os.environ.update(
        AWS_ENDPOINT_URL=str(document["awsEndpointUrl"]),
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - the engine knows it as root's
        AWS_DEFAULT_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
    )
    clients.forget()
    origin = str(document["replicateUrl"]).split("/v1", maxsplit=1)[0]
    return Site(
        stage="local",
        table=str(document["table"]),
        bucket=str(document["bucket"]),
        api_url=str(document["apiUrl"]),
        replicate_url=f"{origin}/v1",
        download_origins=(origin,),
        models_config=document["parameters"].get("ModelsConfig", str(MODELS_CONFIG)),
        opaque_names=document["parameters"].get("OwnerNames") == "opaque",
        distributed=distributes(document["parameters"]),
    )


def deployed_site(stage: str) -> Site:
    """The site of a stage in the AWS account and region of the environment. Raises SiteError."""
    try:
        outputs, given = stack_facts(stage)
    except CommandError as error:
        raise SiteError(error.message) from error
    models = given["ModelsConfig"]
    return Site(
        stage=stage,
        table=outputs["TableName"],
        bucket=outputs["BucketName"],
        api_url=outputs["ApiUrl"],
        replicate_url=given["ReplicateApiUrl"],
        download_origins=tuple(given["DownloadOrigins"].split(",")),
        models_config=str(MODELS_CONFIG) if models.startswith("/opt/") else models,
        event_bus=given["EventBusName"],
        opaque_names=given.get("OwnerNames") == "opaque",
        distributed=distributes(given),
    )
