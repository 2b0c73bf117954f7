"""What the provider signs its webhooks with: as configured in SSM, else as the provider says.

One malformed secret of several is named in the log by its place, and the others count.

A signature that fits none of the secrets may mean that one was rotated: then SSM and the provider
are asked again, but once a minute and process at most, so that forgeries cannot have
us flood them. What was replaced is good for as long as a webhook may be on its way.
"""

import logging
import time
from collections.abc import Callable, Sequence

from vsl.adapters.aws.parameters import Parameters
from vsl.domain.errors import ProviderUnavailable, VslError
from vsl.domain.predictions.signature import TOLERANCE_SECONDS, read_secrets

PARAMETER = "replicate-webhook-secret"
RENEW_SECONDS = 60
TTL_SECONDS = 3600

_log = logging.getLogger(__name__)


class ProviderWebhookSecrets:
    """Implements `services.ports.provider.WebhookSecrets`. `fetch` asks the provider."""

    def __init__(self, parameters: Parameters, fetch: Callable[[], str]) -> None:
        self._parameters = parameters
        self._fetch = fetch
        self._fetched: str | None = None
        self._fetched_at = 0.0
        self._renewed_at: float | None = None
        self._reported: list[int] = []
        self._replaced: list[tuple[str, float]] = []
        """Secrets that were the provider's, and until when they are good."""

    def current(self) -> Sequence[str]:
        """Several, by commas, while rotating. Raises what asking for the first one raises."""
        configured = self._configured()
        if configured:
            return configured
        if self._fetched is None:
            self._keep(self._fetch())
        elif time.monotonic() - self._fetched_at > TTL_SECONDS:
            self._try_again()
        now = time.monotonic()
        return [self._fetched or "", *(old for old, until in self._replaced if now < until)]

    def renewed(self) -> Sequence[str]:
        now = time.monotonic()
        if self._renewed_at is not None and now - self._renewed_at < RENEW_SECONDS:
            return ()
        self._renewed_at = now
        self._parameters.renew()
        if not self._configured():
            self._try_again()
        return self.current()

    def _configured(self) -> list[str]:
        good, bad = read_secrets(self._parameters.find(PARAMETER) or "")
        if bad and bad != self._reported:
            _log.error(
                "%s: secret %s of %d is malformed and left out",
                PARAMETER,
                ", ".join(map(str, bad)),
                len(good) + len(bad),
            )
        self._reported = bad
        return good

    def _try_again(self) -> None:
        """The secret at hand stays while the provider cannot be asked."""
        self._fetched_at = time.monotonic()
        try:
            self._keep(self._fetch())
        except VslError as error:
            _log.warning("the webhook secret could not be read again: %s", error.code)

    def _keep(self, secret: str) -> None:
        usable, _ = read_secrets(secret)
        if not usable:
            raise ProviderUnavailable("The provider's answer is unreadable: no webhook secret.")
        (secret, *_) = usable
        now = self._fetched_at = time.monotonic()
        if self._fetched not in {None, secret}:
            self._replaced = [(str(self._fetched), now + TOLERANCE_SECONDS)]
        self._fetched = secret
