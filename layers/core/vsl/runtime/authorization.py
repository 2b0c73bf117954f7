"""What a Lambda authorizer is asked and what it answers."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from vsl.domain.api.api_key import ApiKey
from vsl.runtime.handler import Event


class Authorization(TypedDict):
    principalId: str
    policyDocument: dict[str, Any]
    context: dict[str, str]


def header_values(event: Event) -> Mapping[str, Sequence[str]]:
    """Each header of the request with all its values."""
    return event.get("multiValueHeaders") or {}


def allowed(method_arn: str, key: ApiKey) -> Authorization:
    """Admission to every route of the API's stage; what a caller may do there, the functions decide.

    `method_arn` is `arn:…:apiId/stage/METHOD/path`. The context is what functions read in
    `requestContext.authorizer`, texts all; an operator's key has no `userId`.
    """
    user = {"userId": key.user_id} if key.user_id else {}
    window = {"dedupeSeconds": str(key.dedupe_seconds)} if key.dedupe_seconds else {}
    api_id, stage = method_arn.split("/")[:2]
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": f"{api_id}/{stage}/*",
    }
    return {
        "principalId": key.user_id or key.key_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"keyId": key.key_id, **user, **window},
    }
