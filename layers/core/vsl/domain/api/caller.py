"""Who asks: one user, or a trusted back end that may name any.

A token of a user pool and a key that VSL minted for a user both come down to a `subject` here; an API key of
API Gateway, IAM and an operator's key have none. A caller who is a user, or names one, sees that user's jobs
alone: for other callers a job does not exist.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.request import is_user_id
from vsl.domain.errors import Forbidden, InvalidRequest, JobNotFound
from vsl.domain.jobs.ids import is_job_id

# What Cognito calls the kind of token.
IDENTITY_TOKEN = "id"  # noqa: S105 # nosec B105


@dataclass(frozen=True, slots=True)
class Edge:
    """How the API's gateway knows callers: `auth` is ApiAuth, `clients` the app clients of its user pool."""

    auth: str = "NONE"
    clients: Collection[str] = ()

    @property
    def vouches(self) -> bool:
        """Whether it says of every caller who that is."""
        return self.auth in {"COGNITO", "KEYS"}

    def subject(self, authorizer: Mapping[str, Any]) -> str | None:
        """The user whose credential it is; None: a trusted back end. `authorizer` is what the gateway's
        authorizer says of the caller: the `claims` of a token, or the `keyId` and `userId` of a key.

        Raises Forbidden for a token that is not for this API, and for a request that came past the
        authorizer. While a deployment changes ApiAuth, the gateway may be ahead of what this process was
        told: a user it has authenticated is never taken for a back end.
        """
        claims = authorizer.get("claims")
        claims = claims if isinstance(claims, Mapping) else {}
        if self.auth == "COGNITO" or claims.get("sub"):
            return token_subject(claims, self.clients)
        if self.auth == "KEYS" or authorizer.get("keyId"):
            return _key_subject(authorizer)
        return None


def _key_subject(authorizer: Mapping[str, Any]) -> str | None:
    if not authorizer.get("keyId"):
        raise Forbidden("The request carries no key.")
    user = authorizer.get("userId")
    return str(user) if user else None


def token_subject(claims: Mapping[str, Any], clients: Collection[str]) -> str:
    """The user that an identity token of the pool was made for, by one of these app clients.

    API Gateway has checked signature, issuer and time; a pool makes tokens for all of its app clients
    alike. An access token, which says what its bearer may do elsewhere, is not taken: it has no `aud`.
    Raises Forbidden.
    """
    if claims.get("token_use") != IDENTITY_TOKEN:
        raise Forbidden("The token is not an identity token.")
    if claims.get("aud") not in [client for client in clients if client]:
        raise Forbidden("The token was made for an app client that this API does not know.")
    subject = claims.get("sub")
    if not subject:
        raise Forbidden("The token names no user.")
    return str(subject)


@dataclass(frozen=True, slots=True)
class Caller:
    """`subject` is the user the token belongs to, None for a trusted back end; `named` is the
    `userId` of the request, if it has one."""

    subject: str | None = None
    named: str | None = None

    def __post_init__(self) -> None:
        if self.named is not None and not is_user_id(self.named):
            raise InvalidRequest.of([("userId", "is not a valid user id")])
        if self.subject is not None and self.named not in {None, self.subject}:
            raise Forbidden("The userId in the request is not the caller's own.")

    @property
    def user_id(self) -> str | None:
        """The one user whose things this request may touch; None: a trusted back end, anybody's."""
        return self.subject or self.named

    def require_user(self) -> str:
        """The user the request is about. Raises InvalidRequest when it names none and has to."""
        if self.user_id is None:
            raise InvalidRequest.of([("userId", "is required")])
        return self.user_id

    def require_trusted(self) -> None:
        """Raises Forbidden unless this is a back end that speaks for no single user."""
        if self.user_id is not None:
            raise Forbidden("This is for operators; it is about all users' jobs.")

    def may_see(self, owner: str) -> bool:
        return self.user_id is None or self.user_id == owner

    def check(self, job_id: str, owner: str) -> None:
        """Raises JobNotFound, word for word as for a job that was never there."""
        if not self.may_see(owner):
            raise job_not_found(job_id)


def job_not_found(job_id: str) -> JobNotFound:
    known = job_id if is_job_id(job_id) else None
    return JobNotFound("There is no job with this id.", jobId=known)
