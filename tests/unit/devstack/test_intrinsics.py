"""CloudFormation's functions as the local stack resolves them."""

from typing import Any

import pytest

from devstack.intrinsics import Resolver, UnresolvedError

TEMPLATE = {
    "Conditions": {
        "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "NotProd": {"Fn::Not": [{"Condition": "Prod"}]},
        "Either": {"Fn::Or": [{"Condition": "Prod"}, {"Condition": "NotProd"}]},
        "Both": {"Fn::And": [{"Condition": "Prod"}, {"Condition": "NotProd"}]},
    },
    "Mappings": {"Sizes": {"here": {"small": 1}}},
}


def resolve(value: Any) -> Any:
    values = {"Stage": "dev", "Table": "t-1", "List": ["a", "b"], "AWS::Region": "here"}
    return Resolver(TEMPLATE, values, lambda name, what: f"{name}/{what}").resolve(value)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Table"}, "t-1"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table/Arn"),
        ({"Fn::GetAtt": "Table.Stream.Arn"}, "Table/Stream.Arn"),
        ({"Fn::Sub": "${AWS::Region}:${Table.Arn}:${!literal}:$context.x:${Stage}"},
         "here:Table/Arn:${literal}:$context.x:dev"),
        ({"Fn::Sub": ["${a}-${Stage}", {"a": {"Ref": "Table"}}]}, "t-1-dev"),
        ({"Fn::Join": ["+", ["x", {"Ref": "Stage"}]]}, "x+dev"),
        ({"Fn::Join": ["", {"Ref": "List"}]}, "ab"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "x,y"]}]}, "y"),
        ({"Fn::If": ["Prod", 1, 2]}, 2),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "small"]}, 1),
        ({"a": {"Fn::If": ["Prod", 1, {"Ref": "AWS::NoValue"}]}, "b": [{"Ref": "AWS::NoValue"}, 2]},
         {"b": [2]}),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
         {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
        ({"$ref": "#/components/x"}, {"$ref": "#/components/x"}),
    ],
)  # fmt: skip
def test_resolving(value: Any, resolved: Any) -> None:
    assert resolve(value) == resolved


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nobody"},
        {"Fn::Sub": "${Nobody}"},
        {"Fn::If": ["Nowhere", 1, 2]},
        {"Fn::FindInMap": ["Sizes", "there", "small"]},
    ],
)
def test_what_is_not_there_is_named(value: Any) -> None:
    with pytest.raises(UnresolvedError, match=r"Nobody|Nowhere|there"):
        resolve(value)
