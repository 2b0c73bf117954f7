"""`Idempotency-Key`, claimed by Powertools in a DynamoDB table of its own.

The claim is all that Powertools is asked for; `key_records` binds it once the job was created, or
lets it go.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

from vsl.adapters.aws import clients
from vsl.domain.errors import IdempotencyKeyReused, RequestInProgress, StoreUnavailable
from vsl.domain.jobs.idempotency import CLAIM_SECONDS, Claim, KeyRecord, KeyState, kept_data

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
    )

_PREFIX = "generate-media"


class RemainingTime(Protocol):
    """Lambda's context: a claim that is being made lasts as long as the invocation may."""

    def get_remaining_time_in_millis(self) -> int: ...


class DynamoIdempotency:
    """Implements `services.ports.idempotency.IdempotencyKeys`. Powertools loads at the first key.

    Should the function die with a key in its hands, the key is free again when its time is up.
    """

    def __init__(
        self, table: str, context: RemainingTime, *, claim_seconds: int = CLAIM_SECONDS
    ) -> None:
        self._table = table
        self._context = context
        self._claim_seconds = claim_seconds

    def claim(
        self,
        key: str,
        body: Mapping[str, Any],
        propose: Callable[[], str],
        exists: Callable[[str], bool],
    ) -> Claim:
        from aws_lambda_powertools.utilities.idempotency import idempotent_function

        layer, config = self._layer()

        @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
            data_keyword_argument="request",
            persistence_store=layer,
            config=config,
            key_prefix=_PREFIX,
        )
        def accept(*, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
            return kept_data(propose(), KeyState.CLAIMED)

        request = {"key": key, "body": dict(body)}
        with _translated():
            kept: dict[str, Any] = accept(request=request)
            record = layer.of(request)
            if "state" not in kept and not exists(kept["jobId"]):
                # A whole job, as an older version kept it for a day, though it was then refused.
                layer.forget(record.id, kept)
                kept = accept(request=request)
        return _claim(record, kept, exists)

    def find(
        self, key: str, body: Mapping[str, Any], exists: Callable[[str], bool]
    ) -> Claim | None:
        from aws_lambda_powertools.utilities.idempotency import exceptions as idempotency

        layer, config = self._layer()
        layer.configure(config=config, key_prefix=_PREFIX)
        request = {"key": key, "body": dict(body)}
        with _translated():
            try:
                found = layer.get_record(request)
            except idempotency.IdempotencyItemNotFoundError:
                return None
        if found is None or found.status != "COMPLETED":
            return None
        return _claim(layer.of(request), found.response_json_as_dict() or {}, exists)

    def forget(self, claim: Claim) -> None:
        layer, config = self._layer()
        layer.configure(config=config, key_prefix=_PREFIX)
        with _translated():
            layer.forget(claim.record.id, kept_data(claim.job_id, KeyState.CREATED))

    def _layer(self) -> "tuple[_Layer, IdempotencyConfig]":
        from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig

        config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="body",
            expires_after_seconds=self._claim_seconds,
        )
        config.register_lambda_context(cast("Any", self._context))
        claiming: Any = _Claiming(clients.client("dynamodb"))
        return _layer_class()(table_name=self._table, boto3_client=claiming), config


class _Claiming:
    """A client that puts a mark of its own on what it puts.

    boto3 sends a call again when its answer is lost, and then it is its own record that refuses it.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, *, Item: Mapping[str, Any], **arguments: Any) -> Any:  # noqa: N803
        claim = {"S": uuid.uuid4().hex[:8]}
        try:
            return self._client.put_item(Item={**Item, "claim": claim}, **arguments)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            if error.response.get("Item", {}).get("claim") != claim:
                raise
            return {}


if TYPE_CHECKING:

    class _Layer(DynamoDBPersistenceLayer):
        def of(self, request: dict[str, Any]) -> KeyRecord: ...

        def forget(self, record_id: str, kept: Mapping[str, Any]) -> None: ...


def _layer_class() -> "type[_Layer]":
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    class Layer(DynamoDBPersistenceLayer):
        def of(self, request: dict[str, Any]) -> KeyRecord:
            """Where a request is kept, by Powertools' own rules."""
            return KeyRecord(
                str(self._get_hashed_idempotency_key(data=request)),
                self._get_hashed_payload(data=request),
            )

        def forget(self, record_id: str, kept: Mapping[str, Any]) -> None:
            """Unless something else is kept by now."""
            try:
                self.client.delete_item(
                    TableName=self.table_name,
                    Key=self._get_key(record_id),
                    ConditionExpression="#data = :data",
                    ExpressionAttributeNames={"#data": self.data_attr},
                    ExpressionAttributeValues={":data": {"S": json.dumps(kept, sort_keys=True)}},
                )
            except self.client.exceptions.ConditionalCheckFailedException:
                return

    return cast("type[_Layer]", Layer)


def _claim(record: KeyRecord, kept: Mapping[str, Any], exists: Callable[[str], bool]) -> Claim:
    job_id = str(kept["jobId"])
    state = kept.get("state")
    created = exists(job_id) if state is None else state == KeyState.CREATED
    return Claim(record, job_id, created)


@contextmanager
def _translated() -> Iterator[None]:
    """Powertools wraps errors of boto3 where it calls it by itself, and not where it is told to."""
    from aws_lambda_powertools.utilities.idempotency import exceptions as idempotency
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except idempotency.IdempotencyValidationError as error:
        message = "This Idempotency-Key was used with another body; take a new key."
        raise IdempotencyKeyReused(message) from error
    except idempotency.IdempotencyAlreadyInProgressError as error:
        message = "The first request with this Idempotency-Key is still being accepted."
        raise RequestInProgress(message, retryAfter=1) from error
    except (idempotency.IdempotencyPersistenceLayerError, BotoCoreError, ClientError) as error:
        raise StoreUnavailable("DynamoDB did not answer.", service="DynamoDB") from error
