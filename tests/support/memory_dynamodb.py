"""A client of DynamoDB in memory, for exactly the expressions that live items and keys use.

It reads the very update and condition expressions of the adapters; syntax that it does not know
raises. A contract test runs the same operations against moto and compares the items.
"""

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from tests.support.aws_calls import ConditionFailed, refused

type Item = dict[str, Any]
type Names = Mapping[str, str]
type Values = Mapping[str, Any]
type Read = Callable[[Item, Names, Values], Any]
type Condition = Callable[[Item, Names, Values], bool]
type Write = Callable[[Item, Item, Names, Values], None]

_TOKENS = re.compile(r"\s*(<=|<>|<|[A-Za-z_][\w]*|[#:][\w]+|[=().,+])")
_ACTIONS = {"SET", "REMOVE", "ADD"}


class DynamoDBClient:
    """One table with a string hash key (`jobId` unless told) and perhaps a range key.

    `on_write` sees every item after it was written. Items are replaced, never changed in place.
    """

    def __init__(
        self, on_write: Callable[[Item], None] = lambda _: None, *, key: str = "jobId"
    ) -> None:
        self.items: dict[str, Item] = {}
        self._on_write = on_write
        self._key = key

    def put_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Item: Item,  # noqa: N803
        ConditionExpression: str | None = None,  # noqa: N803
        ExpressionAttributeNames: Names | None = None,  # noqa: N803
        ExpressionAttributeValues: Values | None = None,  # noqa: N803
        ReturnValuesOnConditionCheckFailure: str = "NONE",  # noqa: N803
    ) -> Item:
        name = Item[self._key]["S"]
        before = self.items.get(name, {})
        names, values = ExpressionAttributeNames or {}, ExpressionAttributeValues or {}
        if ConditionExpression and not condition(ConditionExpression)(before, names, values):
            raise _condition_failed(before, ReturnValuesOnConditionCheckFailure)
        self._write(name, Item)
        return {}

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool) -> Item:  # noqa: N803
        item = self.items.get(Key[self._key]["S"])
        if item is None or any(item[name] != value for name, value in Key.items()):
            return {}
        return {"Item": item}

    def delete_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Item,  # noqa: N803
        ConditionExpression: str | None = None,  # noqa: N803
        ExpressionAttributeNames: Names | None = None,  # noqa: N803
        ExpressionAttributeValues: Values | None = None,  # noqa: N803
        ReturnValuesOnConditionCheckFailure: str = "NONE",  # noqa: N803
    ) -> Item:
        name = Key[self._key]["S"]
        before = self.items.get(name, {})
        names, values = ExpressionAttributeNames or {}, ExpressionAttributeValues or {}
        if ConditionExpression and not condition(ConditionExpression)(before, names, values):
            raise _condition_failed(before, ReturnValuesOnConditionCheckFailure)
        self.items.pop(name, None)
        return {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Item:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        found = [
            self.get_item(TableName=table, Key=key, ConsistentRead=asked["ConsistentRead"])
            for key in asked["Keys"]
        ]
        items = [answer["Item"] for answer in found if answer]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def update_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Item,  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        ExpressionAttributeValues: Values,  # noqa: N803
        ConditionExpression: str | None = None,  # noqa: N803
        ReturnValues: str = "NONE",  # noqa: N803
        ReturnValuesOnConditionCheckFailure: str = "NONE",  # noqa: N803
        ExpressionAttributeNames: Names | None = None,  # noqa: N803
    ) -> Item:
        names, values = ExpressionAttributeNames or {}, ExpressionAttributeValues
        name = Key[self._key]["S"]
        before = self.items.get(name, {})
        if ConditionExpression and not condition(ConditionExpression)(before, names, values):
            raise _condition_failed(before, ReturnValuesOnConditionCheckFailure)
        after = before | Key
        for write in update(UpdateExpression):
            write(before, after, names, values)
        self._write(name, after)
        return {"Attributes": after} if ReturnValues == "ALL_NEW" else {}

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        IndexName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Values,  # noqa: N803
        Limit: int,  # noqa: N803
    ) -> Item:
        matches = condition(KeyConditionExpression)
        order = "nextCheckAt" if IndexName == "InFlightIndex" else "timestamp"
        found = [
            item
            for item in self.items.values()
            if matches(item, {}, ExpressionAttributeValues) and order in item
        ]
        found.sort(key=lambda item: int(item[order]["N"]))
        return {"Items": found[:Limit]}

    def remove(self, attributes: Collection[str]) -> None:
        """From every item, as if they had never been written."""
        self.items = {
            name: {each: value for each, value in item.items() if each not in attributes}
            for name, item in self.items.items()
        }

    def _write(self, name: str, item: Item) -> None:
        self.items[name] = item
        self._on_write(item)


class Tables:
    """Several tables behind one client, by their names."""

    class exceptions:  # noqa: N801
        """As boto3's client has them."""

        ConditionalCheckFailedException = ConditionFailed

    def __init__(self, tables: Mapping[str, DynamoDBClient]) -> None:
        self._tables = tables

    def __getattr__(self, operation: str) -> Callable[..., Item]:
        def call(**arguments: Any) -> Item:
            name = arguments.get("TableName") or next(iter(arguments["RequestItems"]))
            answer: Item = getattr(self._tables[name], operation)(**arguments)
            return answer

        return call


def _condition_failed(item: Item, told: str) -> ClientError:
    shown = {"Item": item} if item and told == "ALL_OLD" else {}
    return refused("ConditionalCheckFailedException", shown)


class _Parser:
    """Recursive descent over one expression; every method eats what it understands."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            found = _TOKENS.match(text, position)
            if found is None:
                raise NotImplementedError(f"not understood: {text[position:]!r}")
            self._tokens.append(found[1])
            position = found.end()

    def peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self, expected: str | None = None) -> str:
        token = self._tokens.pop(0) if self._tokens else ""
        if expected is not None and token != expected:
            raise NotImplementedError(f"{expected!r} expected, not {token!r}")
        return token

    def either(self) -> Condition:
        left = self.both()
        while self.peek() == "OR":
            self.take()
            left = _or(left, self.both())
        return left

    def both(self) -> Condition:
        left = self.negated()
        while self.peek() == "AND":
            self.take()
            left = _and(left, self.negated())
        return left

    def negated(self) -> Condition:
        if self.peek() == "NOT":
            self.take()
            inner = self.negated()
            return lambda item, names, values: not inner(item, names, values)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        if self.peek() in {"attribute_exists", "attribute_not_exists"}:
            wanted = self.take() == "attribute_exists"
            self.take("(")
            path = self.path()
            self.take(")")
            return lambda item, names, _: (_read(item, path, names) is not None) is wanted
        if self.peek() == "contains":
            self.take()
            self.take("(")
            path = self.path()
            self.take(",")
            value = self.take()
            self.take(")")
            return lambda item, names, values: _contains(_read(item, path, names), values[value])
        left = self.operand()
        operator = self.take()
        if operator == "IN":
            self.take("(")
            options = [self.operand()]
            while self.peek() == ",":
                self.take()
                options.append(self.operand())
            self.take(")")
            return _in(left, options)
        right = self.operand()
        compare = {"=": _equal, "<=": _at_most, "<": _below, "<>": _other}.get(operator)
        if compare is not None:
            return compare(left, right)
        raise NotImplementedError(f"operator {operator!r}")

    def operand(self) -> Read:
        token = self.peek()
        if token.startswith(":"):
            self.take()
            return lambda _item, _names, values: values[token]
        if token == "if_not_exists":
            self.take()
            self.take("(")
            path = self.path()
            self.take(",")
            default = self.operand()
            self.take(")")
            return lambda item, names, values: (
                found
                if (found := _read(item, path, names)) is not None
                else default(item, names, values)
            )
        path = self.path()
        return lambda item, names, _values: _read(item, path, names)

    def path(self) -> tuple[str, ...]:
        parts = [self.take()]
        while self.peek() == ".":
            self.take()
            parts.append(self.take())
        if not all(re.fullmatch(r"#?\w+", part) for part in parts):
            raise NotImplementedError(f"path {parts!r}")
        return tuple(parts)

    def writes(self) -> list[Write]:
        found: list[Write] = []
        while self.peek():
            action = self.take()
            if action not in _ACTIONS:
                raise NotImplementedError(f"action {action!r}")
            while True:
                found.append(self._write(action))
                if self.peek() != ",":
                    break
                self.take()
        return found

    def _write(self, action: str) -> Write:
        path = self.path()
        if action == "REMOVE":
            return lambda _before, after, names, _values: _remove(after, path, names)
        if action == "ADD":
            value = self.take()
            return lambda before, after, names, values: _put(
                after, path, names, _added(_read(before, path, names), values[value])
            )
        self.take("=")
        operand = self.operand()

        def assign(before: Item, after: Item, names: Names, values: Values) -> None:
            _put(after, path, names, operand(before, names, values))

        return assign


@cache
def condition(text: str) -> Condition:
    parser = _Parser(text)
    found = parser.either()
    if parser.peek():
        raise NotImplementedError(f"left over: {parser.peek()!r} of {text!r}")
    return found


@cache
def update(text: str) -> list[Write]:
    return _Parser(text).writes()


def _or(left: Condition, right: Condition) -> Condition:
    return lambda item, names, values: left(item, names, values) or right(item, names, values)


def _and(left: Condition, right: Condition) -> Condition:
    return lambda item, names, values: left(item, names, values) and right(item, names, values)


def _in(left: Read, options: list[Read]) -> Condition:
    return lambda item, names, values: (
        (found := left(item, names, values)) is not None
        and any(found == option(item, names, values) for option in options)
    )


def _equal(left: Read, right: Read) -> Condition:
    return lambda item, names, values: (
        (found := left(item, names, values)) is not None and found == right(item, names, values)
    )


def _other(left: Read, right: Read) -> Condition:
    """An attribute that is not there differs from any value."""
    return lambda item, names, values: left(item, names, values) != right(item, names, values)


def _at_most(left: Read, right: Read) -> Condition:
    return lambda item, names, values: (
        (found := left(item, names, values)) is not None
        and int(found["N"]) <= int(right(item, names, values)["N"])
    )


def _below(left: Read, right: Read) -> Condition:
    return lambda item, names, values: (
        (found := left(item, names, values)) is not None
        and int(found["N"]) < int(right(item, names, values)["N"])
    )


def _contains(found: Any, wanted: Any) -> bool:
    return found is not None and wanted["S"] in found["SS"]


def _added(found: Any, more: Any) -> Any:
    if "N" in more:
        return {"N": str(int(found["N"] if found else 0) + int(more["N"]))}
    return {"SS": sorted(set(found["SS"] if found else ()) | set(more["SS"]))}


def _name(part: str, names: Names) -> str:
    return names[part] if part.startswith("#") else part


def _read(item: Item, path: tuple[str, ...], names: Names) -> Any:
    found: Any = {"M": item}
    for part in path:
        if found is None or "M" not in found:
            return None
        found = found["M"].get(_name(part, names))
    return found


def _parent(item: Item, path: tuple[str, ...], names: Names) -> Item:
    """The map that holds the path's last element, copied on the way down: items never change."""
    for part in path[:-1]:
        name = _name(part, names)
        found = item.get(name)
        if found is None or "M" not in found:
            raise refused("ValidationException", {})
        item[name] = {"M": dict(found["M"])}
        item = item[name]["M"]
    return item


def _put(item: Item, path: tuple[str, ...], names: Names, value: Any) -> None:
    _parent(item, path, names)[_name(path[-1], names)] = value


def _remove(item: Item, path: tuple[str, ...], names: Names) -> None:
    _parent(item, path, names).pop(_name(path[-1], names), None)
