"""Signed without an AWS client: JSON calls, a look at an object, addresses and forms.

For the hot paths and cold starts: a boto3 client costs a function some 200 ms of loading service
models before its first call, and its signer a quarter of a millisecond for each address
(docs/performance.md). Tests compare every signature with boto3's own. Everything else goes by
`adapters.aws`.
"""

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from http.client import HTTPException
from typing import Any

from vsl.adapters import sigv4
from vsl.adapters.aws import TRANSIENT
from vsl.adapters.connections import Answer, send
from vsl.adapters.sigv4 import Credentials
from vsl.domain.errors import ConfigurationError, StoreUnavailable

ATTEMPTS = 3
_PAUSE_SECONDS = 0.1
_NAMES = {"dynamodb": "DynamoDB", "states": "Step Functions"}
# Where boto3 looks for an endpoint by another name than the service's host.
_ENDPOINT_NAMES = {"states": "SFN"}


def call_json(service: str, target: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One call of AWS's JSON protocol, repeated when it fails: for what may happen twice.

    `target` is the operation's X-Amz-Target. Raises StoreUnavailable, and ConfigurationError
    when AWS refuses us.
    """
    status, answer = exchange_json(service, target, body)
    if status != 200:
        code = error_code(answer) or status
        raise ConfigurationError(f"{_name(service)} refused with {code}.", service=service)
    return answer


def exchange_json(
    service: str, target: str, body: Mapping[str, Any], version: str = "1.1"
) -> tuple[int, dict[str, Any]]:
    """As `call_json`, but a refusal is an answer like any other: its status and its body."""
    data = json.dumps(body).encode()
    headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
    url = endpoint(service) + "/"
    status, content, _ = _repeated(
        service,
        lambda: send("POST", url, data, _authorized(service, url, data, headers)),
    )
    if _transient(status, content):
        raise StoreUnavailable(f"{_name(service)} did not answer.", service=service)
    return status, _document(content)


def error_code(answer: Mapping[str, Any]) -> str:
    """AWS's name for why it refused, else an empty text."""
    return str(answer.get("__type", "")).rpartition("#")[2].partition(":")[0]


def head(url: str) -> Mapping[str, str] | None:
    """What S3 tells of the object at `url`, by header names in lower case; None without an object.

    Without the right to list, S3 answers 403 for what is not there. Raises StoreUnavailable and
    ConfigurationError.
    """
    signed = sigv4.presign(url, {}, 60, _credentials(), _region(), _now(), "HEAD")
    status, content, headers = _repeated("s3", lambda: send("HEAD", signed, None, {}))
    if status in {403, 404}:
        return None
    if _transient(status, content):
        raise StoreUnavailable("S3 did not answer.", service="s3")
    if status != 200:
        raise ConfigurationError(f"S3 refused with {status}.", service="s3")
    return headers


def form(
    fields: Mapping[str, str], conditions: Sequence[object], seconds: int
) -> tuple[dict[str, str], datetime]:
    """The fields of a form by which anybody may post one file to S3, and when that ends."""
    now = _now()
    expires_at = now + timedelta(seconds=seconds)
    signed = sigv4.sign_form(fields, conditions, expires_at, _credentials(), _region(), now)
    return signed, expires_at


def presign(url: str, query: Mapping[str, str], seconds: int) -> str:
    """The address of an S3 object, readable for a while by whoever has it; `url` has no query."""
    return sigv4.presign(url, query, seconds, _credentials(), _region(), _now())


def endpoint(service: str) -> str:
    """The service's address, without a path; AWS_ENDPOINT_URL_{SERVICE} and AWS_ENDPOINT_URL win."""
    name = _ENDPOINT_NAMES.get(service, service.upper())
    own = os.environ.get(f"AWS_ENDPOINT_URL_{name}") or os.environ.get("AWS_ENDPOINT_URL")
    if own:
        return own.rstrip("/")
    suffix = "amazonaws.com.cn" if _region().startswith("cn-") else "amazonaws.com"
    return f"https://{service}.{_region()}.{suffix}"


def _authorized(
    service: str, url: str, data: bytes, headers: Mapping[str, str]
) -> Mapping[str, str]:
    return sigv4.authorize(url, data, headers, service, _credentials(), _region(), _now())


def _now() -> datetime:
    return datetime.now(UTC)


def _credentials() -> Credentials:
    """Lambda's own from the environment; elsewhere (a person's machine) whatever boto3 finds."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN"))
    found = _session_credentials()
    if found is None:
        raise ConfigurationError("There are no AWS credentials.")
    frozen = found.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


@cache
def _session_credentials() -> Any:
    import boto3

    return boto3.Session().get_credentials()


def _region() -> str:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        return region
    import boto3

    region = boto3.Session().region_name
    if not region:
        raise ConfigurationError("No AWS region is set; set AWS_REGION.", variable="AWS_REGION")
    return str(region)


def _name(service: str) -> str:
    return _NAMES.get(service, service.upper())


def _repeated(service: str, attempt_once: Callable[[], Answer]) -> Answer:
    """The first answer that says more than "not now", else the last one."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = attempt_once()
        except (OSError, HTTPException) as error:
            if attempt == ATTEMPTS:
                message = f"{_name(service)} could not be reached."
                raise StoreUnavailable(message, service=service) from error
        else:
            if not _transient(*answer[:2]) or attempt == ATTEMPTS:
                return answer
        # Not all at the same moment again: those who were throttled together come apart.
        time.sleep(_PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311 # nosec B311
    raise AssertionError("the last attempt returns or raises")


def _transient(status: int, content: bytes) -> bool:
    if status == 200:
        return False
    return status >= 500 or status == 429 or error_code(_document(content)) in TRANSIENT


def _document(content: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
