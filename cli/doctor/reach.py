"""The webhook's address, the secrets, the schema."""

import json
import secrets
import time
from collections.abc import Iterator

import httpx

from cli.doctor.findings import Finding, Scope
from cli.doctor.site import Site, SiteError
from database.migrate import status as migrations
from vsl.adapters.cloudfront.signing_keys import (
    DELIVERY,
    PRIVATE_KEY,
    find_signing_key,
    read_distribution,
)
from vsl.adapters.replicate.webhook_secrets import PARAMETER
from vsl.domain.callbacks import callback
from vsl.domain.errors import VslError
from vsl.domain.jobs.owner_names import (
    MIN_SECRET_CHARACTERS,
    OWNER_NAME_SECRET,
    read_owner_secrets,
)
from vsl.domain.jobs.webhook_url import WEBHOOK_PATH
from vsl.domain.predictions.signature import MIN_KEY_BYTES, read_secrets, sign

SECONDS = 10
# Parameters that may hold several secrets, and the bytes that each has at least.
_SIGNING = {PARAMETER: MIN_KEY_BYTES, "callback-signing-secret": callback.MIN_KEY_BYTES}


def webhook_endpoint(site: Site, _scope: Scope) -> Iterator[Finding]:
    """The provider must reach us, an unsigned call must be refused, a signed one accepted."""
    url = site.api_url.rstrip("/") + WEBHOOK_PATH
    body = json.dumps({"id": "doctor" + secrets.token_hex(10), "status": "processing"})
    try:
        unsigned = httpx.post(url, content=body, timeout=SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        yield _webhook(url, f"cannot be reached: {type(error).__name__}", "Check api-url and DNS.")
        return
    if unsigned.status_code != 401:
        advice = "Something in front of the API answers; webhooks must reach process_webhook."
        yield _webhook(
            url, f"answers an unsigned call with {unsigned.status_code}, not 401", advice
        )
        return
    for secret in _webhook_secrets(site):
        identifier, now = "msg_doctor", str(int(time.time()))
        signature = sign(secret, identifier, now, body.encode())
        headers = {
            "webhook-id": identifier,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{signature}",
        }
        signed = httpx.post(url, content=body, headers=headers, timeout=SECONDS, trust_env=False)
        if signed.status_code == 404:  # understood; no job waits for this prediction
            continue
        advice = "Functions read a changed secret within five minutes; otherwise correct it in SSM."
        yield _webhook(url, f"answers a signed call with {signed.status_code}, not 404", advice)


def secrets_in_force(site: Site, _scope: Scope) -> Iterator[Finding]:
    """Every secret opens what it is for."""
    for name, least_bytes in _SIGNING.items():
        wanted = f"whsec_ and the base64 of {least_bytes} bytes or more"
        yield from _bad(site, name, read_secrets(_text(site, name), least_bytes), wanted)
    naming = read_owner_secrets(_text(site, OWNER_NAME_SECRET))
    yield from _bad(site, OWNER_NAME_SECRET, naming, f"of {MIN_SECRET_CHARACTERS} characters")
    if site.opaque_names and not naming[0]:
        yield _secret(
            site, OWNER_NAME_SECRET, "holds none to name users by: every request is refused"
        )
    if site.distributed:
        yield from _signing_key(site)
    try:
        theirs = site.provider.webhook_secret()
    except VslError as error:
        yield _secret(site, "replicate-token", f"the provider refuses it: {error.message}")
    else:
        configured, _ = read_secrets(_text(site, PARAMETER))
        if configured and not set(read_secrets(theirs)[0]) & set(configured):
            what = "is not the provider's: every webhook is rejected, the poller does all the work"
            yield _secret(site, PARAMETER, what)
    try:
        site.redis.run(lambda redis: redis.ping())
    except VslError as error:
        yield _secret(site, "redis-url", f"does not open Redis: {error.message}")


def _signing_key(site: Site) -> Iterator[Finding]:
    """The key that signs addresses of files is one that CloudFront knows."""
    try:
        distribution = read_distribution(site.parameters.get(DELIVERY))
    except VslError as error:
        yield Finding(
            check="secret",
            subject=f"/vsl/{site.stage}/{DELIVERY}",
            what=error.message,
            advice="The stack writes it: deploy again.",
        )
        return
    try:
        find_signing_key(site.parameters.get(PRIVATE_KEY), distribution)
    except VslError as error:
        yield _secret(site, PRIVATE_KEY, f"no address of a file can be made: {error.message}")


def schema(site: Site, _scope: Scope) -> Iterator[Finding]:
    """PostgreSQL answers and has every migration."""
    try:
        site.sql().close()
    except (SiteError, VslError) as error:
        yield _secret(site, "database-url", str(error))
        return
    pending = migrations(site.database_url).pending
    if pending:
        yield Finding(
            check="schema",
            subject=pending[0],
            what=f"{len(pending)} migrations have not been applied",
            advice="Run `python -m database.migrate` with DATABASE_URL set.",
        )


def _webhook_secrets(site: Site) -> list[str]:
    """Those that count, as the function itself reads them."""
    configured, _ = read_secrets(_text(site, PARAMETER))
    if configured:
        return configured
    try:
        return read_secrets(site.provider.webhook_secret())[0]
    except VslError:
        return []  # the secrets' own check says so


def _text(site: Site, name: str) -> str:
    return site.parameters.find(name) or ""


def _bad(
    site: Site, name: str, found: tuple[list[str], list[int]], wanted: str
) -> Iterator[Finding]:
    good, bad = found
    if bad:
        places = " and ".join(f"{place} of {len(good) + len(bad)}" for place in bad)
        yield _secret(site, name, f"its secret {places} is not {wanted}")


def _webhook(url: str, what: str, advice: str) -> Finding:
    return Finding(check="webhook endpoint", subject=url, what=what, advice=advice)


def _secret(site: Site, name: str, what: str) -> Finding:
    path = f"/vsl/{site.stage}/{name}"
    advice = f"Write it again: aws ssm put-parameter --overwrite --type SecureString --name {path}"
    return Finding(check="secret", subject=path, what=what, advice=advice)
