"""What the template's parameters refuse, before anything is made of them."""

import re

import pytest

from tests.support.template import resource, template

PARAMETERS = template()["Parameters"]


def fits(name: str, value: str) -> bool:
    """CloudFormation anchors the pattern by itself."""
    return re.fullmatch(PARAMETERS[name]["AllowedPattern"], value) is not None


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("", True),
        ("*", True),
        ("https://a.example", True),
        ("http://localhost:5173", True),
        ("https://a.example,https://b.example:8443", True),
        ("https://a.example,https://a.example.com", True),
        ("https://a.example,https://a.example", False),
        ("https://a.example,https://b.example,https://a.example", False),
        ("https://b.example,https://a.example,https://a.example", False),
        ("https://a.example, https://b.example", False),
        ("https://a.example,", False),
        (",https://a.example", False),
        ("https://a.example/", False),
        ("a.example", False),
        ("*,https://a.example", False),
        ("https://*.example", False),
        ("https://a'example", False),
    ],
)
def test_an_origin_stands_once_in_a_list_without_blanks(value: str, taken: bool) -> None:
    """API Gateway answers 5xx when a template sets one header twice; the value stands in templates
    between quotes."""
    assert fits("CorsOrigins", value) == taken


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("SubnetIds", "", True),
        ("SubnetIds", "subnet-0a1b2c3d", True),
        ("SubnetIds", "subnet-0a1b2c3d,subnet-0123456789abcdef0", True),
        ("SubnetIds", "subnet-0a1b2c3d, subnet-0123", False),
        ("SubnetIds", "sg-0a1b2c3d", False),
        ("SecurityGroupIds", "", True),
        ("SecurityGroupIds", "sg-0a1b2c3d,sg-0123456789abcdef0", True),
        ("SecurityGroupIds", "subnet-0a1b2c3d", False),
        ("SecurityGroupIds", "sg-0a1b2c3d,", False),
    ],
)
def test_subnets_and_groups_are_ids(name: str, value: str, taken: bool) -> None:
    assert fits(name, value) == taken


def test_subnets_need_security_groups() -> None:
    rule = template()["Rules"]["SubnetsNeedSecurityGroups"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SubnetIds"}, ""]}]}
    assert rule["Assertions"][0]["Assert"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "SecurityGroupIds"}, ""]}]
    }
    for name in ("SubnetIds", "SecurityGroupIds"):
        assert PARAMETERS[name]["Type"] == "String", "a rule cannot compare a list"


def test_a_function_in_the_vpc_gets_both_as_lists() -> None:
    _, config, _ = resource("FinalizeJobFunction")["Properties"]["VpcConfig"]["Fn::If"]
    assert config == {
        "SubnetIds": {"Fn::Split": [",", {"Ref": "SubnetIds"}]},
        "SecurityGroupIds": {"Fn::Split": [",", {"Ref": "SecurityGroupIds"}]},
    }


def test_every_rule_uses_functions_that_rules_have() -> None:
    known = {"And", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "Not", "Or", "If"}
    for name, rule in template()["Rules"].items():
        used = set(re.findall(r"'Fn::(\w+)'", str(rule)))
        assert used <= known, name
