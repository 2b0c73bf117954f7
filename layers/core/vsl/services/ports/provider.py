"""The provider, and its webhooks."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from vsl.domain.predictions.prediction import Prediction


class Provider(Protocol):
    """Replicate. Errors are those of `domain.errors`; every call has a timeout."""

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        """Create a prediction. `reference` is `owner/name` (official) or `owner/name:version`.

        Raises SubmissionUncertain when it is not known whether it was accepted. Any other error of
        ours proves that nothing was: ProviderThrottled, ProviderUnavailable and StoreUnavailable may
        go away, the others not.
        """
        ...

    def get(self, replicate_id: str) -> Prediction | None:
        """None when the provider does not know the id (it may not, for a moment after creation)."""
        ...

    def list_since(
        self, created_after: datetime, created_before: datetime | None = None
    ) -> Iterator[Prediction]:
        """Predictions created in between, newest first, page by page.

        An entry need not tell its webhook. A page that cannot be read raises: the list never ends
        early.
        """
        ...

    def cancel(self, replicate_id: str) -> Prediction | None:
        """Cancel; of a finished prediction the finished state comes back; None when unknown."""
        ...

    def webhook_secret(self) -> str: ...


class WebhookSecrets(Protocol):
    """What the provider's webhooks are signed with."""

    def current(self) -> Sequence[str]:
        """The secrets in force: several while one is being rotated."""
        ...

    def renewed(self) -> Sequence[str]:
        """Those in force by now, for a signature that fits none; none if that was asked lately."""
        ...


class WebhookDeduplication(Protocol):
    """Redis: a hint that a prediction's end has been dealt with. No method raises."""

    def seen(self, replicate_id: str) -> bool: ...

    def remember(self, replicate_id: str) -> None: ...
