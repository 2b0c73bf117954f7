"""Doors and keys: the webhook's address, the secrets, the schema."""

import json
import secrets
import time
from collections.abc import Iterator

import httpx

from database.migrate import status as migrations
from devstack.doctor.findings import Finding, Scope
from devstack.doctor.site import Site, SiteError
from vsl.domain.errors import VslError
from vsl.domain.signature import sign
from vsl.domain.webhook_url import WEBHOOK_PATH

SECONDS = 10


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
        try:
            signature = sign(secret, identifier, now, body.encode())
        except ValueError:
            yield _secret(site, "replicate-webhook-secret", "is not whsec_ and base64")
            continue
        headers = {
            "webhook-id": identifier,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{signature}",
        }
        signed = httpx.post(url, content=body, headers=headers, timeout=SECONDS, trust_env=False)
        if signed.status_code == 404:  # understood; only nobody waits for this prediction
            continue
        advice = "Functions read a changed secret within five minutes; otherwise correct it in SSM."
        yield _webhook(url, f"answers a signed call with {signed.status_code}, not 404", advice)


def secrets_in_force(site: Site, _scope: Scope) -> Iterator[Finding]:
    """Every secret opens what it is for."""
    try:
        theirs = site.provider.webhook_secret()
    except VslError as error:
        yield _secret(site, "replicate-token", f"the provider refuses it: {error.message}")
    else:
        configured = site.parameters.find("replicate-webhook-secret")
        if configured and theirs not in configured.replace(" ", "").split(","):
            what = "is not the provider's: every webhook is rejected, the poller does all the work"
            yield _secret(site, "replicate-webhook-secret", what)
    try:
        site.redis.run(lambda redis: redis.ping())
    except VslError as error:
        yield _secret(site, "redis-url", f"does not open Redis: {error.message}")


def schema(site: Site, _scope: Scope) -> Iterator[Finding]:
    """PostgreSQL answers and has every migration."""
    try:
        site.sql().close()
    except (SiteError, VslError) as error:
        yield _secret(site, "database-url", str(error))
        return
    pending = migrations(site.parameters.get("database-url")).pending
    if pending:
        yield Finding(
            check="schema",
            subject=pending[0],
            what=f"{len(pending)} migrations have not been applied",
            advice="Run `python -m database.migrate` with DATABASE_URL set.",
        )


def _webhook_secrets(site: Site) -> list[str]:
    configured = site.parameters.find("replicate-webhook-secret")
    if configured:
        return [secret for secret in configured.replace(" ", "").split(",") if secret]
    try:
        return [site.provider.webhook_secret()]
    except VslError:
        return []  # the secrets' own check says so


def _webhook(url: str, what: str, advice: str) -> Finding:
    return Finding(check="webhook endpoint", subject=url, what=what, advice=advice)


def _secret(site: Site, name: str, what: str) -> Finding:
    path = f"/vsl/{site.stage}/{name}"
    advice = f"Write it again: aws ssm put-parameter --overwrite --type SecureString --name {path}"
    return Finding(check="secret", subject=path, what=what, advice=advice)
