"""The first deployment, the one after it failed, and the one after the stack was deleted."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from tests.support.deployed import (
    ACCOUNT,
    OTHER,
    REGION,
    Resolutions,
    Template,
    choices,
    of_type,
    resolved,
    transformed,
)
from tests.support.template import template

# The property that fixes a resource's name in the account, by type; where it is absent
# CloudFormation makes the name up, and two of them never meet.
NAMES = {
    "AWS::ApiGateway::DomainName": "DomainName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::OIDCProvider": "Url",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SSM::Parameter": "Name",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::StepFunctions::StateMachine": "Name",
}


@cache
def canary() -> Template:
    return transformed()


def kept(resources: dict[str, Any]) -> dict[str, str]:
    found = {name: each.get("DeletionPolicy", "Delete") for name, each in resources.items()}
    return {name: policy for name, policy in found.items() if policy != "Delete"}


def test_nothing_with_a_fixed_name_stays_behind_when_its_making_fails() -> None:
    """`Retain` keeps what a failed first deployment made, and the next one meets it."""
    resources = canary()["Resources"]
    plain = [name for name, policy in kept(resources).items() if policy == "Retain"]
    assert plain
    named = [n for n in plain if NAMES.get(resources[n]["Type"]) in resources[n]["Properties"]]
    assert named == []


def test_data_stays_when_the_stack_is_deleted() -> None:
    resources = canary()["Resources"]
    for name in ("JobsTable", "IdempotencyTable", "ApiKeysTable", "MediaBucket"):
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"


def test_a_table_can_be_taken_back_by_the_deployment_that_made_it() -> None:
    """CloudFormation cannot delete a protected table: the protection comes with a later deployment."""
    for table in of_type(resolved(canary()), "AWS::DynamoDB::Table").values():
        assert table["Properties"]["DeletionProtectionEnabled"] is False
    protected = resolved(canary(), {"ProtectTables": "true"})
    for table in of_type(protected, "AWS::DynamoDB::Table").values():
        assert table["Properties"]["DeletionProtectionEnabled"] is True


def test_no_function_makes_a_log_group() -> None:
    """One that writes its last line after its log group was deleted would make it anew, without an
    owner, and the next deployment could not."""
    resources = resolved(canary())
    functions = of_type(resources, "AWS::Lambda::Function")
    assert len(functions) > 20
    for name in functions:
        role = resources[f"{name}Role"]["Properties"]
        assert "<NoLogGroupsPolicy>" in role["ManagedPolicyArns"], name
    (statement,) = resources["NoLogGroupsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {"Effect": "Deny", "Action": "logs:CreateLogGroup", "Resource": "*"}


def test_the_transformed_template_is_within_cloudformations_limits() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
    template = canary()
    assert len(json.dumps(template, separators=(",", ":")).encode()) < 800_000
    assert len(template["Resources"]) < 450
    assert len(template["Parameters"]) < 200
    assert all(len(name) <= 255 for name in template["Resources"])


def test_layers_go_when_no_function_uses_them() -> None:
    """Lambda keeps a copy of a deleted layer for as long as a version of a function needs it."""
    layers = of_type(canary()["Resources"], "AWS::Lambda::LayerVersion")
    assert {each["DeletionPolicy"] for each in layers.values()} == {"Delete"}


def test_one_account_holds_a_stage_in_each_region() -> None:
    bucket = resolved(canary())["MediaBucket"]["Properties"]["BucketName"]
    assert bucket == f"vsl-production-media-{ACCOUNT}-{REGION}"
    assert len(f"vsl-production-media-{ACCOUNT}-ap-southeast-2") <= 63


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
    elif isinstance(value, str):
        yield from re.findall(r"<([A-Za-z0-9]+)(?:\.[A-Za-z.]+)?>", value)


def needed(resource: Mapping[str, Any]) -> set[str]:
    depends = resource.get("DependsOn", [])
    return {
        *references(resource.get("Properties", {})),
        *([depends] if isinstance(depends, str) else depends),
    }


ROLLOUT = template()["Parameters"]["Rollout"]
KINDS = (ROLLOUT["Default"], *OTHER["Rollout"])


@pytest.mark.parametrize(
    "rollout", [each for each in ROLLOUT["AllowedValues"] if each not in KINDS]
)
def test_another_rollout_changes_nothing_but_its_name(rollout: str) -> None:
    """So what holds for the default holds for it, whatever else is chosen."""
    default, other = (written(each) for each in (canary(), transformed({"Rollout": rollout})))
    assert other != default
    assert other.replace(rollout, ROLLOUT["Default"]) == default


def written(translated: Template) -> str:
    """Without the id of the API's deployment, which is another one each time (decision 0017)."""
    text = json.dumps(translated["Resources"], sort_keys=True)
    return re.sub(r"(ApiDeployment|deployment id: )[0-9a-f]+", r"\1", text)


@pytest.mark.thorough
@pytest.mark.parametrize("rollout", KINDS)
def test_no_choice_of_parameters_leaves_a_reference_to_what_is_not_made(rollout: str) -> None:
    translated = transformed({"Rollout": rollout})
    resolutions = Resolutions(translated)
    needs: dict[int, set[str]] = {}
    seen = 0
    for chosen in choices():
        resources = resolutions.of({**chosen, "Rollout": rollout})
        for name, each in resources.items():
            if id(each) not in needs:
                needs[id(each)] = needed(each) & translated["Resources"].keys()
            missing = needs[id(each)] - resources.keys()
            assert not missing, f"{name} with {chosen}"
        seen += 1
    assert seen > 100


def test_a_resource_is_made_anew_where_a_parameter_differs_that_it_names() -> None:
    resolutions = Resolutions(canary())
    for chosen in itertools.islice(choices(), 0, None, 10):
        assert resolutions.of(chosen) == resolved(canary(), chosen)


def test_nothing_depends_on_what_a_condition_may_leave_out() -> None:
    """cfn-lint calls it E3005; a reference inside `Fn::If` orders just as well."""
    resources = canary()["Resources"]
    for name, each in resources.items():
        depends = each.get("DependsOn", [])
        for other in [depends] if isinstance(depends, str) else depends:
            condition = resources[other].get("Condition")
            assert condition in {None, each.get("Condition")}, f"{name} → {other}"


@pytest.mark.parametrize(("managed", "value"), [("true", "<ApiAccount>"), ("false", "not-ours")])
def test_the_stage_waits_for_the_account_that_may_write_its_log(managed: str, value: str) -> None:
    """API Gateway refuses a stage with an access log while its account has no role for it."""
    resources = resolved(canary(), {"ManageApiGatewayAccount": managed})
    (stage,) = of_type(resources, "AWS::ApiGateway::Stage").values()
    assert stage["Properties"]["Variables"]["logs"] == value
