"""The use cases of services/keys."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import wiring

if TYPE_CHECKING:
    from vsl.services.keys.authorize_key import AuthorizeKey
    from vsl.services.keys.create_key import CreateKey
    from vsl.services.keys.list_keys import ListKeys
    from vsl.services.keys.revoke_key import RevokeKey


@cache
def authorize_key() -> "AuthorizeKey":
    from vsl.adapters.dynamodb.cached_api_keys import CachedApiKeys
    from vsl.services.keys.authorize_key import AuthorizeKey

    return AuthorizeKey(CachedApiKeys(wiring.api_keys(), wiring.clock), wiring.clock)


@cache
def create_key() -> "CreateKey":
    from vsl.services.keys.create_key import CreateKey

    return CreateKey(wiring.api_keys(), wiring.clock)


@cache
def list_keys() -> "ListKeys":
    from vsl.services.keys.list_keys import ListKeys

    return ListKeys(wiring.api_keys(), wiring.clock)


@cache
def revoke_key() -> "RevokeKey":
    from vsl.services.keys.revoke_key import RevokeKey

    return RevokeKey(wiring.api_keys(), wiring.clock)
