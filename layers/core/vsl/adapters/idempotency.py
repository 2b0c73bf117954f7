"""`Idempotency-Key`, kept by Powertools in a DynamoDB table of its own for a day."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from vsl.domain.errors import IdempotencyKeyReused, RequestInProgress, StoreUnavailable

EXPIRES_AFTER_SECONDS = 24 * 3600


class RemainingTime(Protocol):
    """Lambda's context: a claim on a key lasts as long as the invocation may."""

    def get_remaining_time_in_millis(self) -> int: ...


class DynamoIdempotency:
    """Implements `services.accept_request.Once`. Powertools and boto3 load on the first key only.

    Should the function die with a key in its hands, the key is free again when its time is up.
    """

    def __init__(self, table: str, context: RemainingTime) -> None:
        self._table = table
        self._context = context

    def once(
        self, key: str, body: Mapping[str, Any], produce: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        from aws_lambda_powertools.utilities.idempotency import (
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent_function,
        )
        from aws_lambda_powertools.utilities.idempotency import exceptions as idempotency

        config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="body",
            expires_after_seconds=EXPIRES_AFTER_SECONDS,
        )
        config.register_lambda_context(cast("Any", self._context))

        @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
            data_keyword_argument="request",
            persistence_store=DynamoDBPersistenceLayer(table_name=self._table),
            config=config,
            key_prefix="generate-media",
        )
        def accept(*, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
            return produce()

        try:
            accepted: dict[str, Any] = accept(request={"key": key, "body": dict(body)})
        except idempotency.IdempotencyValidationError as error:
            message = "This Idempotency-Key was used with another body; take a new key."
            raise IdempotencyKeyReused(message) from error
        except idempotency.IdempotencyAlreadyInProgressError as error:
            message = "The first request with this Idempotency-Key is still being accepted."
            raise RequestInProgress(message, retryAfter=1) from error
        except idempotency.IdempotencyPersistenceLayerError as error:
            raise StoreUnavailable("DynamoDB did not answer.", service="DynamoDB") from error
        return accepted
