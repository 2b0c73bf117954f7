"""An example whose values validate: the provider's own, else one made from the parameters."""

import json
from collections.abc import Mapping
from typing import Any

from cli.models.translation.rules import by_input, fault_of, rule_of
from vsl.domain.catalogue.models import Parameter
from vsl.domain.catalogue.validation import checked

_LONGEST = 500
_TEXT = "A lighthouse on a cliff at sunset"
_FILES = {"image": "photo.jpg", "video": "clip.mp4", "audio": "song.mp3", None: "file.bin"}


def example_of(
    parameters: Mapping[str, dict[str, Any]], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """`given` is by the provider's names. Also returned: the names in it that are not offered or whose
    values the parameters refuse."""
    rules = {name: rule_of(each) for name, each in parameters.items()}
    public = by_input(parameters)
    made: dict[str, Any] = {}
    dropped: list[str] = []
    for name, value in given.items():
        known = public.get(name)
        if value is None:
            continue
        if known is None or not _fits(rules[known], value):
            dropped.append(name)
        elif value != parameters[known].get("default"):
            made[known] = checked(rules[known], value, allow_http=False)
    for name, rule in rules.items():
        if rule.required and name not in made:
            made[name] = None if rule.nullable else _value(rule)
    return {name: made[name] for name in parameters if name in made}, dropped


def _fits(rule: Parameter, value: Any) -> bool:
    return len(json.dumps(value)) <= _LONGEST and fault_of(rule, value) is None


def _value(rule: Parameter) -> Any:
    if rule.type == "array":
        return [_one(rule.member())] * max(rule.min_items or 0, 1)
    return _one(rule)


def _one(rule: Parameter) -> Any:
    if rule.enum:
        return rule.enum[0]
    if rule.type == "uri":
        return f"https://example.com/{_FILES[rule.media and rule.media.value]}"
    if rule.type == "string":
        return _TEXT[: rule.max_length]
    if rule.type == "boolean":
        return True
    return _number(rule)


def _number(rule: Parameter) -> int | float:
    """The nearest to 1 that the rule takes."""
    low, high = rule.minimum, rule.maximum
    value = max(1, low) if low is not None else 1
    value = min(value, high) if high is not None else value
    step = rule.multiple_of
    return value if step is None else -(-value // step) * step
