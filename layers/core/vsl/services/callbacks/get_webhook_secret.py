"""The secret that a user verifies callbacks with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.domain.callbacks.callback import user_secrets


@dataclass(frozen=True, slots=True)
class GetWebhookSecret:
    """`secret` is that of the stage."""

    secret: Callable[[], str]

    def __call__(self, caller: Caller) -> dict[str, Any]:
        """`previous` are the secrets that still sign as well while the stage's secret is rotated."""
        user_id = caller.require_user()
        current, *previous = user_secrets(self.secret(), user_id)
        return {"userId": user_id, "secret": current, "previous": previous}
