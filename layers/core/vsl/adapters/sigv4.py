"""AWS Signature Version 4: for a POST with a body, for addresses of S3 objects and for S3's forms.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key})"


def authorize(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    service: str,
    credentials: Credentials,
    region: str,
    at: datetime,
) -> dict[str, str]:
    """The headers of a POST, with those that sign it; `url` has no query."""
    parts = urlsplit(url)
    signed = {**headers, "Host": parts.netloc, "X-Amz-Date": _stamp(at)}
    if credentials.token:
        signed["X-Amz-Security-Token"] = credentials.token
    lower = {name.lower(): value.strip() for name, value in sorted(signed.items())}
    names = ";".join(sorted(lower))
    lines = "".join(f"{name}:{lower[name]}\n" for name in sorted(lower))
    payload = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n{parts.path or '/'}\n\n{lines}\n{names}\n{payload}"
    scope, signature = _sign(canonical, service, credentials, region, at)
    signed["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return signed


def presign(
    url: str,
    query: Mapping[str, str],
    seconds: int,
    credentials: Credentials,
    region: str,
    at: datetime,
    method: str = "GET",
) -> str:
    """The address by which S3 answers anybody who sends this method, for so many seconds.

    `url` has a path and no query, the names in `query` are in lower case.
    """
    stamp = _stamp(at)
    common, opening, key = _for_addresses(credentials, region, stamp, seconds)
    # In the order of their names: those of AWS come before the query's, which are in lower case.
    own = "".join(f"&{name}={quote(query[name], safe='-_.~')}" for name in sorted(query))
    text = common + own
    _, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    canonical = f"{method}\n/{path}\n{text}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.digest(key, f"{opening}{digest}".encode(), "sha256").hex()
    return f"{url}?{text}&X-Amz-Signature={signature}"


@lru_cache(maxsize=8)
def _for_addresses(
    credentials: Credentials, region: str, stamp: str, seconds: int
) -> tuple[str, str, bytes]:
    """What all addresses of a second share: AWS's part of the query, what is signed, the key."""
    day = stamp[:8]
    scope = f"{day}/{region}/s3/aws4_request"
    values = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.token:
        values["X-Amz-Security-Token"] = credentials.token
    common = "&".join(f"{name}={quote(values[name], safe='-_.~')}" for name in sorted(values))
    opening = f"{_ALGORITHM}\n{stamp}\n{scope}\n"
    return common, opening, _key(credentials.secret_key, day, region, "s3")


def sign_form(
    fields: Mapping[str, str],
    conditions: Sequence[object],
    expires_at: datetime,
    credentials: Credentials,
    region: str,
    at: datetime,
) -> dict[str, str]:
    """The fields of a form that S3 accepts a file with, exactly these and within the conditions."""
    signed = {
        **fields,
        "x-amz-algorithm": _ALGORITHM,
        "x-amz-credential": f"{credentials.access_key}/{_scope('s3', region, at)}",
        "x-amz-date": _stamp(at),
    }
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    policy = {
        "expiration": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "conditions": [*conditions, *({name: value} for name, value in signed.items())],
    }
    text = base64.b64encode(json.dumps(policy).encode()).decode()
    key = _key(credentials.secret_key, f"{at:%Y%m%d}", region, "s3")
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {**signed, "policy": text, "x-amz-signature": signature}


def _sign(
    canonical: str, service: str, credentials: Credentials, region: str, at: datetime
) -> tuple[str, str]:
    scope = _scope(service, region, at)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{_stamp(at)}\n{scope}\n{digest}"
    key = _key(credentials.secret_key, f"{at:%Y%m%d}", region, service)
    return scope, hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=8)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    """Good for a day: four rounds that need not be made for each address."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _scope(service: str, region: str, at: datetime) -> str:
    return f"{at:%Y%m%d}/{region}/{service}/aws4_request"


def _stamp(at: datetime) -> str:
    """In UTC, as `at` must be; a format string would take three times as long."""
    return at.isoformat("T", "seconds")[:19].replace("-", "").replace(":", "") + "Z"
