"""What goes with a resource that the engine does not know, and what stays as it was."""

from typing import Any

import pytest

from devstack.left_out import without

NOTHING = {"Ref": "AWS::NoValue"}
GONE: list[dict[str, Any]] = [
    {"Ref": "Away"},
    {"Fn::GetAtt": ["Away", "Arn"]},
    {"Fn::Sub": "arn:${Away}/x"},
    {"Fn::Sub": "${Away.Arn}"},
    {"Fn::Sub": ["${Name}", {"Name": {"Ref": "Away"}}]},
    {"Fn::Join": [",", ["a", {"Fn::Join": ["", [{"Fn::If": ["C", {"Ref": "Away"}, "b"]}]]}]]},
    {"Fn::If": ["C", {"Ref": "Away"}, "else"]},
]


def left(**resources: Any) -> dict[str, Any]:
    template = {"Resources": {"Away": {"Type": "Unknown"}, **resources}, "Conditions": {"C": True}}
    rest: dict[str, Any] = without(template, {"Away"})["Resources"]
    return rest


@pytest.mark.parametrize("reference", [each for each in GONE if "Fn::Join" not in each])
def test_a_resource_goes_with_a_property_that_cannot_be_made(reference: Any) -> None:
    assert left(Other={"Type": "T", "Properties": {"Of": reference}}) == {}


@pytest.mark.parametrize("reference", GONE[:5])
def test_an_element_of_a_list_goes_alone(reference: Any) -> None:
    found = left(Other={"Properties": {"List": [{"Deep": {"Down": reference}}, "b"]}})
    assert found == {"Other": {"Properties": {"List": ["b"]}}}


def test_a_branch_of_an_element_becomes_no_value() -> None:
    statement = {"Fn::If": ["C", {"Condition": {"Is": {"Ref": "Away"}}}, NOTHING]}
    found = left(Other={"List": ["a", statement]})
    assert found == {"Other": {"List": ["a", {"Fn::If": ["C", NOTHING, NOTHING]}]}}


@pytest.mark.parametrize(
    "kept",
    [
        {"Ref": "Stays"},
        {"Fn::Sub": "${Aways} and ${!Away}"},
        {"Fn::Sub": ["${Away}", {"Away": "a name of its own"}]},
        {"Fn::Split": [",", {"Ref": "Stays"}]},
        ["Away", {"Condition": "Away"}],
    ],
)
def test_all_else_stays(kept: Any) -> None:
    assert left(Other={"Of": kept}) == {"Other": {"Of": kept}}


def test_outputs_go_too_and_nothing_is_changed_in_place() -> None:
    template: dict[str, Any] = {
        "Resources": {"Away": {}, "Other": {"Of": [{"Ref": "Away"}]}},
        "Outputs": {"A": {"Value": {"Ref": "Away"}}, "B": {"Value": {"Ref": "Other"}}},
        "Parameters": {"P": {"Type": "String"}},
    }
    found = without(template, {"Away"})
    assert found == {
        "Resources": {"Other": {"Of": []}},
        "Outputs": {"B": {"Value": {"Ref": "Other"}}},
        "Parameters": {"P": {"Type": "String"}},
    }
    assert "Away" in template["Resources"]
