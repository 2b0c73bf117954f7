"""One JSON call and presigned addresses without an AWS client: for the hot paths and cold starts.

A boto3 client costs a function some 200 ms of loading service models before its first call, and
its signer a quarter of a millisecond for each address (docs/performance.md). Tests compare every
signature with boto3's own. Everything else goes by `adapters.aws`.
"""

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from vsl.adapters import sigv4
from vsl.adapters.sigv4 import Credentials
from vsl.domain.errors import ConfigurationError, StoreUnavailable

TIMEOUT_SECONDS = 3.0
ATTEMPTS = 3
_PAUSE_SECONDS = 0.1


def call_json(service: str, target: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One call of a service of AWS's JSON protocol that only reads; it is repeated when it fails.

    `target` is the operation's X-Amz-Target. Raises StoreUnavailable, and ConfigurationError
    when AWS refuses us.
    """
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    url = endpoint(service) + "/"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            status, content = _send(url, data, _authorized(service, url, data, headers))
        except (OSError, HTTPException) as error:
            if attempt == ATTEMPTS:
                message = f"{service.upper()} could not be reached."
                raise StoreUnavailable(message, service=service) from error
        else:
            if status == 200:
                answer: dict[str, Any] = json.loads(content)
                return answer
            if not _transient(status, content) or attempt == ATTEMPTS:
                raise _error(service, status, content)
        time.sleep(_PAUSE_SECONDS * attempt)
    raise AssertionError("the last attempt returns or raises")


def presign(url: str, query: Mapping[str, str], seconds: int) -> str:
    """The address of an S3 object, readable for a while by whoever has it; `url` has no query."""
    return sigv4.presign(url, query, seconds, _credentials(), _region(), _now())


def endpoint(service: str) -> str:
    """The service's address, without a path; AWS_ENDPOINT_URL_{SERVICE} and AWS_ENDPOINT_URL win."""
    own = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get(
        "AWS_ENDPOINT_URL"
    )
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


def _send(url: str, data: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path, data, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _code(content: bytes) -> str:
    try:
        kind = json.loads(content).get("__type", "")
    except (ValueError, AttributeError):
        return ""
    return str(kind).rpartition("#")[2]


def _transient(status: int, content: bytes) -> bool:
    return status >= 500 or status == 429 or "Throttl" in _code(content)


def _error(service: str, status: int, content: bytes) -> Exception:
    name, code = service.upper(), _code(content)
    if _transient(status, content):
        return StoreUnavailable(f"{name} did not answer.", service=service)
    return ConfigurationError(f"{name} refused with {code or status}.", service=service)
