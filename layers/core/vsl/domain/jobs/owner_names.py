"""Under which name a user's objects lie: the user's id, or one that tells nothing of it.

Keys in S3 name the user (`domain.jobs.object_keys`), and so does every signed address of them, to
everyone who is given one: the provider, a page, a log on the way. With opaque names the id is replaced
by a hash that only the holder of a secret can make or look up. What was stored under another name,
before the choice or the secret was changed, stays where it is and is found there.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote

from vsl.domain.errors import ConfigurationError
from vsl.domain.jobs.object_keys import MEDIA_PREFIX, THUMBNAIL_PREFIX, UPLOAD_PREFIX
from vsl.domain.predictions.signature import parts_of

# The name of the parameter.
OWNER_NAME_SECRET = "owner-name-secret"  # noqa: S105 # nosec B105 # pragma: allowlist secret
MIN_SECRET_CHARACTERS = 32
_OF_A_USER = (MEDIA_PREFIX, THUMBNAIL_PREFIX, UPLOAD_PREFIX)


class OwnerNames:
    """`secrets` gives the text of the parameter, several separated by commas, the current one first; None
    where there is none. It is asked only when a name is needed."""

    def __init__(self, *, opaque: bool, secrets: Callable[[], str | None]) -> None:
        self._opaque = opaque
        self._secrets = secrets

    def current(self, key: str) -> str:
        """Where an object is stored whose key or prefix names its user by id.

        Raises ConfigurationError when names are to be opaque and there is no secret.
        """
        return next(self.every(key))

    def every(self, key: str) -> Iterator[str]:
        """Everywhere it may lie, the current place first; a key that names no user has this one place."""
        place = next((prefix for prefix in _OF_A_USER if key.startswith(prefix)), None)
        if place is None:
            yield key
            return
        owner, _, rest = key.removeprefix(place).partition("/")
        if not self._opaque:
            yield key
        for secret in self._known():
            yield f"{place}{_opaque_name(secret, unquote(owner))}/{rest}"
        if self._opaque:
            yield key

    def _known(self) -> Sequence[str]:
        secrets, _ = read_owner_secrets(self._secrets())
        if self._opaque and not secrets:
            message = f"The SSM parameter {OWNER_NAME_SECRET} holds no secret to name users by."
            raise ConfigurationError(message, parameter=OWNER_NAME_SECRET)
        return secrets


BY_USER_ID = OwnerNames(opaque=False, secrets=lambda: None)


def read_owner_secrets(text: str | None) -> tuple[list[str], list[int]]:
    """The secrets in the parameter, and the places (from 1) of those that are too short to be one."""
    parts = parts_of(text or "")
    good = [part for part in parts if len(part) >= MIN_SECRET_CHARACTERS]
    return good, [place for place, part in enumerate(parts, 1) if part not in good]


def _opaque_name(secret: str, user_id: str) -> str:
    """No user id begins with an underscore, so no user's id is another's name."""
    return "_" + hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()[:32]
