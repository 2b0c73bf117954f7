"""A template without resources that the engine does not know, and without what refers to them.

What refers to one that is gone goes with the nearest thing that can: an element of a list (or its branch,
if it is a condition), an output, a resource. A statement of a policy thus goes as a whole, not its
condition alone.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

_GONE = object()
_NO_VALUE = {"Ref": "AWS::NoValue"}
_NAMED = re.compile(r"\$\{(\w+)[.}]")


def without(template: Mapping[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    """The template without the resources of these names; the argument is not changed."""
    rest = {
        **template,
        "Resources": {n: r for n, r in template["Resources"].items() if n not in left_out},
    }
    return {
        part: {
            name: kept
            for name, each in content.items()
            if (kept := _kept(each, left_out)) is not _GONE
        }
        if part in {"Resources", "Outputs"}
        else content
        for part, content in rest.items()
    }


def _kept(value: Any, left_out: Collection[str]) -> Any:
    if isinstance(value, dict):
        if _named(value) & set(left_out):
            return _GONE
        members = {name: _member(name, inner, left_out) for name, inner in value.items()}
        return _GONE if any(each is _GONE for each in members.values()) else members
    if isinstance(value, list):
        return [kept for each in value if (kept := _element(each, left_out)) is not _GONE]
    return value


def _member(name: str, value: Any, left_out: Collection[str]) -> Any:
    """The arguments of a function stay together."""
    if name.startswith("Fn::") and isinstance(value, list):
        arguments = [_kept(each, left_out) for each in value]
        return _GONE if any(each is _GONE for each in arguments) else arguments
    return _kept(value, left_out)


def _element(value: Any, left_out: Collection[str]) -> Any:
    if isinstance(value, dict) and "Fn::If" in value:
        condition, *branches = value["Fn::If"]
        kept = [_kept(each, left_out) for each in branches]
        return {"Fn::If": [condition, *(_NO_VALUE if each is _GONE else each for each in kept)]}
    return _kept(value, left_out)


def _named(value: Mapping[str, Any]) -> set[str]:
    """What a function of CloudFormation refers to by itself, its arguments apart."""
    if "Ref" in value:
        return {str(value["Ref"])}
    if "Fn::GetAtt" in value:
        return {str(value["Fn::GetAtt"][0])}
    if "Fn::Sub" in value:
        told = value["Fn::Sub"]
        text, local = (told, {}) if isinstance(told, str) else told
        return set(_NAMED.findall(text)) - set(local)
    return set()
