"""DynamoDB's attribute values, written and read by boto3: the one place that does.

Numbers are Decimal, sets are Python's; `tracking_item` turns them into the domain's values.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

type Attribute = dict[str, Any]


def serialized(values: Mapping[str, Any]) -> dict[str, Attribute]:
    """Raises TypeError for what no item holds; a float is one, for its decimals are not exact."""
    serialize: Callable[[Any], Any] = _serializer().serialize
    return {name: serialize(value) for name, value in values.items()}


def deserialized(item: Mapping[str, Attribute]) -> dict[str, Any]:
    deserialize: Callable[[Any], Any] = _deserializer().deserialize
    return {name: deserialize(attribute) for name, attribute in item.items()}


@cache
def _serializer() -> "TypeSerializer":
    from boto3.dynamodb.types import TypeSerializer

    return TypeSerializer()


@cache
def _deserializer() -> "TypeDeserializer":
    from boto3.dynamodb.types import TypeDeserializer

    return TypeDeserializer()
