"""How new versions get their traffic: what SAM makes of the template, without asking AWS."""

from typing import Any

import pytest

from tests.support.deployed import Change, built, transformed
from tests.support.template import template


def translated(change: Change | None = None, **values: str) -> dict[str, Any]:
    found: dict[str, Any] = transformed(values, change)["Resources"]
    return found


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return translated()


def names(resources: dict[str, Any], kind: str) -> set[str]:
    return {name for name, resource in resources.items() if resource["Type"] == kind}


def references(value: Any) -> set[str]:
    """Logical ids that a value depends on."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                found.add(inner)
            elif key == "Fn::GetAtt":
                found.add(inner[0] if isinstance(inner, list) else inner.partition(".")[0])
            elif key == "DependsOn":
                found |= {inner} if isinstance(inner, str) else set(inner)
            elif key == "Fn::Sub":
                text, more = (inner, {}) if isinstance(inner, str) else inner
                found |= {part.partition(".")[0] for part in _placeholders(text)} | references(more)
            else:
                found |= references(inner)
    elif isinstance(value, list):
        found = set().union(*(references(each) for each in value))
    return found


def _placeholders(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("${")[1:]]


def circle(resources: dict[str, Any]) -> set[str]:
    """Whatever can never be made, because it waits for itself."""
    left = {name: references(resource) & resources.keys() for name, resource in resources.items()}
    while free := {name for name, needs in left.items() if not needs}:
        left = {name: needs - free for name, needs in left.items() if name not in free}
    return set(left)


def test_nothing_waits_for_itself(resources: dict[str, Any]) -> None:
    assert circle(resources) == set()


def test_an_alarm_of_a_machine_would_be_a_circle_for_functions() -> None:
    """An alias needs its alarms, this alarm its machine, and the machine the aliases."""

    def change(template: dict[str, Any]) -> None:
        preference = template["Globals"]["Function"]["DeploymentPreference"]
        preference["Alarms"].append({"Ref": "ExecutionsLostAlarm"})

    assert {"MediaJobStateMachine", "ExecutionsLostAlarm"} <= circle(translated(change))


def test_every_function_and_machine_is_called_by_its_alias(resources: dict[str, Any]) -> None:
    functions = names(resources, "AWS::Lambda::Function")
    machines = names(resources, "AWS::StepFunctions::StateMachine")
    assert len(functions) > 20
    for name in functions | machines:
        assert resources[f"{name}Aliaslive"]["Properties"]["Name"] == "live"
    own = {"AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig"}
    own |= {"AWS::StepFunctions::StateMachineVersion", "AWS::StepFunctions::StateMachineAlias"}
    # Rights, alarms and rules go by the machine, which its executions belong to.
    for name, resource in resources.items():
        if resource["Type"] not in own:
            assert not references(resource) & functions, name
    permitted = [
        resource["Properties"]["FunctionName"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Permission"
    ]
    assert len(permitted) > 10
    assert all(each["Ref"].endswith("Aliaslive") for each in permitted)


def test_the_door_and_the_api_start_machines_by_their_alias(resources: dict[str, Any]) -> None:
    api_workflow = resources["GenerateMediaStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert api_workflow["MediaJobStateMachineArn"] == {"Ref": "MediaJobStateMachineAliaslive"}
    assert references(resources["Api"]) >= {"GenerateMediaStateMachineAliaslive"}
    assert "GenerateMediaStateMachine" not in references(resources["Api"])


def test_alarms_turn_a_rollout_back(resources: dict[str, Any]) -> None:
    alarms = {"JobFailureRateAlarm", "ApiErrorsAlarm", "WebhookRejectedAlarm"}
    groups = names(resources, "AWS::CodeDeploy::DeploymentGroup")
    assert len(groups) == len(names(resources, "AWS::Lambda::Alias"))
    for group in groups:
        properties = resources[group]["Properties"]
        assert {
            each["Name"]["Ref"] for each in properties["AlarmConfiguration"]["Alarms"]
        } == alarms
        assert "DEPLOYMENT_STOP_ON_ALARM" in properties["AutoRollbackConfiguration"]["Events"]
    for alias in names(resources, "AWS::StepFunctions::StateMachineAlias"):
        preference = resources[alias]["Properties"]["DeploymentPreference"]
        condition, at_once, gradually = preference["Alarms"]["Fn::If"]
        assert (condition, at_once) == ("MovesAtOnce", {"Ref": "AWS::NoValue"})
        watched = {each["Ref"] for each in gradually}
        assert watched == alarms | {"ExecutionsLostAlarm"}
        assert all(resources[name]["Type"] == "AWS::CloudWatch::Alarm" for name in watched)


def test_the_default_lasts_as_long_as_its_slowest_alarm(resources: dict[str, Any]) -> None:
    """Another way to roll out may be faster than some alarms: that is a choice, not the default."""
    deployed = built()
    default = deployed["Parameters"]["Rollout"]["Default"]
    minutes = deployed["Mappings"]["Rollouts"][default]["Minutes"]
    for name in ("JobFailureRateAlarm", "ApiErrorsAlarm", "WebhookRejectedAlarm"):
        alarm = resources[name]["Properties"]
        period = alarm.get("Period") or alarm["Metrics"][0]["MetricStat"]["Period"]
        assert period * alarm["EvaluationPeriods"] / 60 <= minutes, name


def test_at_once_asks_no_alarm() -> None:
    """What mends an outage is deployed while alarms are on."""
    resources = translated(Rollout="AllAtOnce")
    assert not {name for name, each in resources.items() if "CodeDeploy" in each["Type"]}
    assert all("UpdatePolicy" not in each for each in resources.values())
    assert len(names(resources, "AWS::Lambda::Alias")) > 20


GRADUAL = sorted(set(template()["Parameters"]["Rollout"]["AllowedValues"]) - {"AllAtOnce"})


@pytest.mark.parametrize("rollout", GRADUAL)
def test_both_services_know_every_rollout(rollout: str) -> None:
    group = translated(Rollout=rollout)["GetStatusFunctionDeploymentGroup"]["Properties"]
    assert group["DeploymentConfigName"]["Fn::Sub"][1]["ConfigName"] == rollout
    mapped = built()["Mappings"]["Rollouts"][rollout]
    kind = {"CANARY": "Canary10Percent", "LINEAR": "Linear10PercentEvery"}[mapped["Type"]]
    assert rollout == f"{kind}{mapped['Minutes']}Minutes"


def version_of(resources: dict[str, Any], function: str) -> str:
    (found,) = (
        name
        for name in names(resources, "AWS::Lambda::Version")
        if name.startswith(f"{function}Version")
    )
    return found


@pytest.mark.parametrize("layer", ["CoreLayer", "RuntimeLayer", "ConfigLayer"])
def test_new_code_in_a_layer_is_a_new_version(resources: dict[str, Any], layer: str) -> None:
    def change(template: dict[str, Any]) -> None:
        template["Resources"][layer]["Properties"]["ContentUri"] = "s3://packages/other"

    before = version_of(resources, "GetStatusFunction")
    assert version_of(translated(change), "GetStatusFunction") != before


def test_versions_outlive_their_release(resources: dict[str, Any]) -> None:
    """Turning back needs the version before."""
    for kind in ("AWS::Lambda::Version", "AWS::StepFunctions::StateMachineVersion"):
        for name in names(resources, kind):
            assert resources[name]["DeletionPolicy"] == "Retain", name
