"""Calls at an even pace over all threads of a process, within the provider's limit."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vsl.domain.predictions.prediction import Prediction
from vsl.services.ports.provider import Provider
from vsl.services.ports.system import Clock

# Of the provider's limit a minute (`ProviderReadsPerMinute` in template.yaml, with its source). Other
# functions read too: submissions that search for their prediction, cancels, a webhook's secret.
POLLERS_SHARE = 0.8
LIST_PAGE = 100


@dataclass
class Pace:
    """`sleep` is where a call waits for its turn; no call goes unused, and none is saved up."""

    per_second: float
    clock: Clock
    sleep: Callable[[float], None]
    calls: int = 0
    _next: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def wait(self) -> None:
        with self._lock:
            now = self.clock.now()
            turn = max(now, self._next or now)
            self._next = turn + timedelta(seconds=1 / self.per_second)
            self.calls += 1
        if turn > now:
            self.sleep((turn - now).total_seconds())


class PacedProvider:
    """Implements `services.ports.provider.Provider`: reading and canceling wait for their turn."""

    def __init__(self, provider: Provider, pace: Pace) -> None:
        self._provider = provider
        self._pace = pace

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        return self._provider.create(reference, provider_input, webhook, cancel_after)

    def get(self, replicate_id: str) -> Prediction | None:
        self._pace.wait()
        return self._provider.get(replicate_id)

    def list_since(
        self, created_after: datetime, created_before: datetime | None = None
    ) -> Iterator[Prediction]:
        self._pace.wait()
        listed = self._provider.list_since(created_after, created_before)
        for number, prediction in enumerate(listed, start=1):
            yield prediction
            if number % LIST_PAGE == 0:
                self._pace.wait()

    def cancel(self, replicate_id: str) -> Prediction | None:
        self._pace.wait()
        return self._provider.cancel(replicate_id)

    def webhook_secret(self) -> str:
        return self._provider.webhook_secret()
