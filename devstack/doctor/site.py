"""One deployment as the doctor sees it: its stores, its provider, its addresses."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import dict_row

from devstack.engine import REGION
from devstack.paths import MODELS_CONFIG
from vsl.adapters import aws, json_client
from vsl.adapters.announcements import AwsAnnouncements
from vsl.adapters.catalogue import load_catalogue
from vsl.adapters.dynamodb import DynamoLiveJobs
from vsl.adapters.parameters import Parameters
from vsl.adapters.postgres import PostgresAccounting
from vsl.adapters.redis_client import RedisClient
from vsl.adapters.redis_limits import RedisRateLimits
from vsl.adapters.redis_stores import RedisStatusCache
from vsl.adapters.replicate import ReplicateProvider
from vsl.domain.catalogue import Catalogue
from vsl.domain.ids import timestamp_of
from vsl.services.finish import Books

CONNECT_SECONDS = 5
STATEMENT_MILLISECONDS = 30_000


class SiteError(RuntimeError):
    """The deployment cannot be looked at; the message says what to do."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class NoMetrics:
    """A repair by hand is nobody's statistics."""

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

    @cached_property
    def parameters(self) -> Parameters:
        return Parameters(f"/vsl/{self.stage}/")

    @cached_property
    def live(self) -> DynamoLiveJobs:
        return DynamoLiveJobs(self.table)

    @cached_property
    def accounting(self) -> PostgresAccounting:
        return PostgresAccounting(lambda: self.parameters.get("database-url"))

    @cached_property
    def redis(self) -> RedisClient:
        return RedisClient(lambda: self.parameters.get("redis-url"))

    @cached_property
    def cache(self) -> RedisStatusCache:
        return RedisStatusCache(lambda: self.parameters.get("redis-url"), self.redis)

    @cached_property
    def limits(self) -> RedisRateLimits:
        return RedisRateLimits(lambda: self.parameters.get("redis-url"), self.redis)

    @cached_property
    def provider(self) -> ReplicateProvider:
        return ReplicateProvider(self.replicate_url, lambda: self.parameters.get("replicate-token"))

    @cached_property
    def catalogue(self) -> Catalogue:
        return load_catalogue(self.models_config)

    @property
    def s3(self) -> Any:
        return aws.client("s3", read_timeout=60)

    @property
    def sqs(self) -> Any:
        return aws.client("sqs")

    def now(self) -> datetime:
        return datetime.now(UTC)

    def books(self) -> Books:
        return Books(
            catalogue=self.catalogue,
            accounting=self.accounting,
            live=self.live,
            cache=self.cache,
            limits=self.limits,
            announcements=AwsAnnouncements(self.queue("callbacks"), self.event_bus),
            clock=SystemClock(),
            metrics=NoMetrics(),
        )

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
                self.parameters.get("database-url"),
                connect_timeout=CONNECT_SECONDS,
                options=f"-c statement_timeout={STATEMENT_MILLISECONDS}",
            )
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise SiteError(f"PostgreSQL cannot be reached from here: {reason}") from error

    def forget_live_item(self, job_id: str) -> None:
        json_client.client("dynamodb").delete_item(
            TableName=self.table,
            Key={"jobId": {"S": job_id}, "timestamp": {"N": str(timestamp_of(job_id))}},
        )

    def close(self) -> None:
        for adapter in (self.accounting, self.redis, self.provider):
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
    aws.client.cache_clear()
    origin = str(document["replicateUrl"]).split("/v1", maxsplit=1)[0]
    return Site(
        stage="local",
        table=str(document["table"]),
        bucket=str(document["bucket"]),
        api_url=str(document["apiUrl"]),
        replicate_url=f"{origin}/v1",
        download_origins=(origin,),
        models_config=str(MODELS_CONFIG),
    )


def deployed_site(stage: str) -> Site:
    """The site of a stage in the AWS account and region of the environment. Raises SiteError."""
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    name = f"vsl-{stage}"
    try:
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise SiteError(f"The stack {name} cannot be read: {error}") from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())}
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
    )
