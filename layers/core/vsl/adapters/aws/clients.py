"""boto3 clients, made on first use and kept, and the one translation of their errors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
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


# One call takes nine seconds at worst, a pause of at most one among them: within the time limit of
# every function but those of the API workflow, whose states end them and try again.
CONNECT_SECONDS = 1
READ_SECONDS = 3
ATTEMPTS = 2
LONGEST_PAUSE_SECONDS = 1

# As botocore spells services in the names of variables.
_ENDPOINT_NAMES = {"stepfunctions": "SFN"}

_making = Lock()
_made: list[Any] = []


def session() -> Any:
    """boto3's default one: credentials, region and the description of AWS are read once for the
    process, or were read before it was forked."""
    import boto3

    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    return boto3.DEFAULT_SESSION


@cache
def client(
    service: str,
    *,
    read_timeout: float = READ_SECONDS,
    attempts: int = ATTEMPTS,
    host_prefix: bool = False,
) -> Any:
    """A client with short timeouts and few retries: Step Functions retries the whole step.

    `host_prefix` is for calls that have a host of their own, as StartSyncExecution has `sync-states`; a
    custom endpoint has one host for all.
    """
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        inject_host_prefix=host_prefix and not _has_own_endpoint(service),
        # Else it is put together anew for each call, a fifth of what a call costs.
        user_agent="vsl",
        # Presigned URLs: some regions would still get the retired version 2 by default.
        signature_version="s3v4" if service == "s3" else None,
        # Bodies travel with a checksum of their own, which S3 verifies: signing them as well
        # would hash every byte twice.
        s3={
            "addressing_style": "path",
            "payload_signing_enabled": False,
            "us_east_1_regional_endpoint": "regional",
        },
    )
    with _making:  # a session makes clients for one thread at a time
        made = session().client(service, config=config)
        _made.append(made)
    return made


def _has_own_endpoint(service: str) -> bool:
    return any(
        os.environ.get(name)
        for name in (
            "AWS_ENDPOINT_URL",
            f"AWS_ENDPOINT_URL_{_ENDPOINT_NAMES.get(service, service)}",
        )
    )


def close() -> None:
    """Let go of every connection; the clients open new ones."""
    for each in _made:
        each.close()


def forget() -> None:
    """Close, and make clients anew on their next use, by what the environment says then."""
    import boto3

    close()
    _made.clear()
    client.cache_clear()
    boto3.DEFAULT_SESSION = None


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Faults on the service's side leave as StoreUnavailable, a missing permission as what it is."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointResolutionError,
        NoCredentialsError,
        NoRegionError,
        ParamValidationError,
    )
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in TRANSIENT or status >= 500 or status == 429:
            raise StoreUnavailable(f"{service} did not answer.", service=service) from error
        if code in {"AccessDenied", "AccessDeniedException", "ResourceNotFoundException"}:
            message = f"{service} refused: {error.response['Error'].get('Message', code)}"
            raise ConfigurationError(message, service=service) from error
        raise
    except NoCredentialsError as error:
        raise ConfigurationError("There are no AWS credentials.", service=service) from error
    except NoRegionError as error:
        message = "No AWS region is set; set AWS_DEFAULT_REGION."
        raise ConfigurationError(message, variable="AWS_DEFAULT_REGION") from error
    except EndpointResolutionError as error:
        raise ConfigurationError(f"{service} has no endpoint: {error}", service=service) from error
    except ParamValidationError:  # a mistake in our code: a retry would fail as well
        raise
    except (BotoCoreError, ResponseParserError) as error:
        raise StoreUnavailable(f"{service} could not be reached.", service=service) from error


def error_code(error: Exception) -> str:
    """The AWS error code of a ClientError, else an empty text."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
