"""What a callback's receiver needs: Standard Webhooks."""

import json
from collections.abc import Mapping
from typing import Literal, cast

from vsl_client.errors import VslError
from vsl_client.types import JobStatus, WebhookSecret


class Event(JobStatus):
    """The body of a callback: the job's status and what happened."""

    event: Literal["started", "ended"]


def verify_webhook(body: bytes, headers: Mapping[str, str], secret: str | WebhookSecret) -> Event:
    """The event, if one of the user's secrets signed the raw body in the last five minutes.

    Raises VslError (InvalidSignature). `secret`: the text, or the answer of `Client.webhook_secret`,
    which has the older ones of a rotation, too. Drop a `webhook-id` that you have seen.
    """
    # Here, because only receivers need it.
    from standardwebhooks import Webhook, WebhookVerificationError  # noqa: PLC0415

    lower = {name.lower(): value for name, value in headers.items()}
    secrets = [secret] if isinstance(secret, str) else [secret["secret"], *secret["previous"]]
    for each in secrets:
        try:
            Webhook(each).verify(body, lower)
        except WebhookVerificationError as error:
            reason = str(error)
        else:
            return cast("Event", json.loads(body))
    raise VslError("InvalidSignature", reason)
