"""Signed without an AWS client: a JSON call, a look at an object, addresses and forms.

For the hot paths and cold starts: a boto3 client costs a function some 200 ms of loading service
models before its first call, and its signer a quarter of a millisecond for each address
(docs/performance.md). Tests compare every signature with boto3's own. Everything else goes by
`adapters.aws`.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
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

type _Answer = tuple[int, bytes, Mapping[str, str]]


def call_json(service: str, target: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One call of a service of AWS's JSON protocol that only reads; it is repeated when it fails.

    `target` is the operation's X-Amz-Target. Raises StoreUnavailable, and ConfigurationError
    when AWS refuses us.
    """
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    url = endpoint(service) + "/"
    status, content, _ = _repeated(
        service,
        lambda: _send("POST", url, data, _authorized(service, url, data, headers)),
    )
    if status != 200:
        raise _error(service, status, content)
    answer: dict[str, Any] = json.loads(content)
    return answer


def head(url: str) -> Mapping[str, str] | None:
    """What S3 tells of the object at `url`, by header names in lower case; None without an object.

    Without the right to list, S3 answers 403 for what is not there. Raises StoreUnavailable and
    ConfigurationError.
    """
    signed = sigv4.presign(url, {}, 60, _credentials(), _region(), _now(), "HEAD")
    status, content, headers = _repeated("s3", lambda: _send("HEAD", signed, None, {}))
    if status in {403, 404}:
        return None
    if status != 200:
        raise _error("s3", status, content)
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


def _repeated(service: str, send: Callable[[], _Answer]) -> _Answer:
    """The first answer that says more than "not now", else the last one."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = send()
        except (OSError, HTTPException) as error:
            if attempt == ATTEMPTS:
                message = f"{service.upper()} could not be reached."
                raise StoreUnavailable(message, service=service) from error
        else:
            if not _transient(*answer[:2]) or attempt == ATTEMPTS:
                return answer
        time.sleep(_PAUSE_SECONDS * attempt)
    raise AssertionError("the last attempt returns or raises")


def _send(method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> _Answer:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, data, dict(headers))
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return response.status, response.read(), told
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
