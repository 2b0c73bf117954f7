"""The webhook sender: signed, filtered, throttled, retried as Replicate does.

https://replicate.com/docs/topics/webhooks and https://www.standardwebhooks.com. Only the terminal
webhook is retried, on no connection or a 4xx/5xx, with exponential back-off whose last attempt
comes about a minute after completion; redirects are not followed. How many attempts there are and
how long one may take is not published.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass

import httpx

from devstack.replicate.clock import NANOSECONDS, now
from devstack.replicate.config import Config
from devstack.replicate.faults import WebhookFault
from devstack.replicate.predictions import Delivery, Prediction

RETRY_OFFSETS = (0.0, 2.0, 6.0, 14.0, 30.0, 60.0)  # seconds after completion
_ALPHABET = string.ascii_letters + string.digits
_FORGERS_KEY = "whsec_" + base64.b64encode(b"not the secret of anyone").decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message (Standard Webhooks, symmetric, version 1)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class _Message:
    """One event of one prediction, its body fixed when it happened."""

    prediction: Prediction
    event: str
    status: str
    id: str
    body: bytes
    faults: tuple[WebhookFault, ...]

    def fault(self, kind: str) -> WebhookFault | None:
        return next((fault for fault in self.faults if fault.kind == kind), None)


class WebhookSender:
    """Sends in the background; `close` gives up whatever is still to be sent."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = httpx.AsyncClient(
            follow_redirects=False, timeout=config.webhook_timeout, trust_env=False
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_sent: dict[tuple[str, str], int] = {}

    def emit(self, prediction: Prediction, event: str) -> None:
        """Tell the prediction's webhook of the event, if it wants to hear of it."""
        events = ("output", "completed") if prediction.events is None else prediction.events
        wanted = prediction.webhook is not None and event in events
        if not wanted or self._throttled(prediction, event):
            if event == "completed":
                prediction.end_announced.set()
            return
        message = _Message(
            prediction=prediction,
            event=event,
            status=prediction.status,
            id="msg_" + "".join(secrets.choice(_ALPHABET) for _ in range(27)),
            body=prediction.encoded(prediction.view()),
            faults=tuple(
                fault
                for fault in prediction.faults
                if isinstance(fault, WebhookFault)
                and (fault.events is None or event in fault.events)
            ),
        )
        task = asyncio.create_task(self._deliver(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reset(self) -> None:
        """Forget every message not delivered yet."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._last_sent.clear()

    async def close(self) -> None:
        await self.reset()
        await self._client.aclose()

    def _throttled(self, prediction: Prediction, event: str) -> bool:
        if event not in {"output", "logs"}:
            return False
        key, at = (prediction.id, event), now()
        last = self._last_sent.get(key)
        if last is not None and at - last < self._config.webhook_throttle * NANOSECONDS:
            return True
        self._last_sent[key] = at
        return False

    async def _deliver(self, message: _Message) -> None:
        prediction = message.prediction
        if delay := message.fault("delay"):
            await asyncio.sleep(delay.seconds)
        if message.event != "completed" and message.fault("reorder"):
            await prediction.end_announced.wait()
        async with prediction.webhook_order:
            delivered = await self._attempt(message, 1)
        if message.event != "completed":
            return
        prediction.end_announced.set()
        for attempt, offset in enumerate(RETRY_OFFSETS[1:], start=2):
            if delivered:
                return
            due = (prediction.completed or 0) + offset * self._config.retry_scale * NANOSECONDS
            await asyncio.sleep(max(0.0, (due - now()) / NANOSECONDS))
            delivered = await self._attempt(message, attempt)

    async def _attempt(self, message: _Message, attempt: int) -> bool:
        """Send it, with all its copies; True when it needs no other attempt."""
        if message.fault("drop"):
            self._record(message, attempt, error="dropped by a fault rule")
            return True
        duplicate = message.fault("duplicate")
        delivered = False
        for _ in range(1 + (duplicate.copies if duplicate else 0)):
            delivered = await self._post(message, attempt)
        return delivered

    async def _post(self, message: _Message, attempt: int) -> bool:
        timestamp = now() // NANOSECONDS
        if stale := message.fault("stale"):
            timestamp -= int(stale.seconds)
        secret = _FORGERS_KEY if message.fault("forge") else self._config.webhook_secret
        headers = {
            "content-type": "application/json",
            "user-agent": "Replicate/webhooks",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, message.id, timestamp, message.body),
        }
        url = message.prediction.webhook or ""
        try:
            response = await self._client.post(url, content=message.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._record(message, attempt, error=f"{type(error).__name__}: {error}")
            return False
        self._record(message, attempt, status_code=response.status_code)
        return response.status_code < 400

    def _record(
        self,
        message: _Message,
        attempt: int,
        status_code: int | None = None,
        error: str | None = None,
    ) -> None:
        delivery = Delivery(
            message.id, message.event, message.status, attempt, now(), status_code, error
        )
        message.prediction.deliveries.append(delivery)
