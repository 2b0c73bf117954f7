"""Prove that a webhook is the provider's own."""

from collections.abc import Mapping
from dataclasses import dataclass

from vsl.domain.errors import InvalidSignature
from vsl.domain.predictions.signature import verify
from vsl.services.ports.provider import WebhookSecrets
from vsl.services.ports.system import Clock, Metrics


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came in: headers, the raw bytes that were signed, the query parameters."""

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VerifyWebhook:
    secrets: WebhookSecrets
    clock: Clock
    metrics: Metrics

    def __call__(self, delivery: Delivery) -> None:
        """Raises InvalidSignature. A secret that was rotated just now is tried, too."""
        now = self.clock.now().timestamp()
        try:
            verify(delivery.headers, delivery.body, self.secrets.current(), now)
        except InvalidSignature:
            try:
                verify(delivery.headers, delivery.body, self.secrets.renewed(), now)
            except InvalidSignature:
                self.metrics.count("WebhookRejected")
                raise
