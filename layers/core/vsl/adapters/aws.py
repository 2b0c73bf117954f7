"""boto3 clients, made on first use and kept, and the one translation of their errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from vsl.domain.errors import ConfigurationError, StoreUnavailable

# Answers that say "not now": throttling and faults on the service's side. Anything else is a
# mistake of ours and must surface as itself.
TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


@cache
def client(service: str, *, read_timeout: float = 5) -> Any:
    """A client with short timeouts and few retries: Step Functions retries the whole step.

    `inject_host_prefix` is off because StartSyncExecution would otherwise prefix any custom
    endpoint with `sync-`; without a custom endpoint none of our calls needs a prefix.
    """
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,  # type: ignore[call-overload]  # the stubs list service names as literals
        config=Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": 3},
            inject_host_prefix=False,
            # Else it is put together anew for each call, a fifth of what a call costs.
            user_agent="vsl",
            # Presigned URLs: some regions would still get the retired version 2 by default.
            signature_version="s3v4" if service == "s3" else None,
            # Bodies travel with a checksum of their own, which S3 verifies: signing them as well
            # would hash every byte twice.
            s3={"addressing_style": "path", "payload_signing_enabled": False},
        ),
    )


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Faults on the service's side leave as StoreUnavailable, a missing permission as what it is."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in TRANSIENT or status >= 500:
            raise StoreUnavailable(f"{service} did not answer.", service=service) from error
        if code in {"AccessDenied", "AccessDeniedException", "ResourceNotFoundException"}:
            message = f"{service} refused: {error.response['Error'].get('Message', code)}"
            raise ConfigurationError(message, service=service) from error
        raise
    except NoCredentialsError as error:
        raise ConfigurationError("There are no AWS credentials.", service=service) from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"{service} could not be reached.", service=service) from error


def error_code(error: Exception) -> str:
    """The AWS error code of a ClientError, else an empty text."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
