"""The keys of VSL that a local stack with ApiAuth KEYS begins with: an operator's and one user's."""

from datetime import UTC, datetime
from typing import Any

from devstack.identity import KEY_USER, Identity


def put_keys(dynamodb: Any, table: str, identity: Identity) -> None:
    """Where a deployment has put them before, they are put anew."""
    from vsl.adapters.dynamodb.api_keys import to_item  # noqa: PLC0415
    from vsl.domain.api.api_key import ApiKey, hash_secret, split_key  # noqa: PLC0415

    for user in (None, KEY_USER):
        key_id, secret = split_key(identity.api_key(user))
        key = ApiKey(key_id, hash_secret(secret), datetime.now(UTC), user, "vsl up")
        dynamodb.put_item(TableName=table, Item=to_item(key))
