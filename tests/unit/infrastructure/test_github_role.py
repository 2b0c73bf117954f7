"""deployment/github.yaml: who may deploy a stage from GitHub, and what CloudFormation may do then."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
import yaml

from devstack.intrinsics import Resolver
from devstack.template import load_yaml
from tests.support.deployed import ACCOUNT, PSEUDO, REGION, WITH, of_type, resolved, transformed
from tests.support.template import REPOSITORY

STAGES = ("homolog", "production")
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/secrets"
BOUNDARY = "arn:boundary"
# What AWS's own policies hold that SAM attaches to roles of the stack.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
READY_MADE = {
    "service-role/AWSLambdaBasicExecutionRole": {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    },
    "service-role/AWSLambdaVPCAccessExecutionRole": {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    },
    "AWSXrayWriteOnlyAccess": {
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    },
    "service-role/AWSCodeDeployRoleForLambdaLimited": {
        "cloudwatch:DescribeAlarms",
        "lambda:UpdateAlias",
        "lambda:GetAlias",
        "lambda:GetProvisionedConcurrencyConfig",
    },
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": {  # pragma: allowlist secret
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
    },
}


@cache
def github(stage: str = "homolog", **parameters: str) -> dict[str, Any]:
    """The resources of deployment/github.yaml, resolved."""
    template = load_yaml(REPOSITORY / "deployment/github.yaml")
    values = {n: str(d.get("Default", "")) for n, d in template["Parameters"].items()}
    values |= {"Repository": "owner/name", "Stage": stage, **parameters}
    pseudo = {**PSEUDO, "AWS::StackName": f"vsl-{stage}-github"}
    made = {name: f"<{name}>" for name in template["Resources"]}

    def attribute(name: str, what: str) -> str:
        assert what == "Arn"
        if template["Resources"][name]["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name.lower()}"
        return f"arn:aws:iam::{ACCOUNT}:role/vsl-{stage}-github-{name}-1"

    resolver = Resolver(template, {**pseudo, **made, **values}, attribute)
    return {
        n: resolver.resolve(r)
        for n, r in template["Resources"].items()
        if "Condition" not in r or resolver.condition(r["Condition"])
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def document(name: str, stage: str = "homolog", **parameters: str) -> list[dict[str, Any]]:
    properties = github(stage, **parameters)[name]["Properties"]
    if "PolicyDocument" in properties:
        return list(properties["PolicyDocument"]["Statement"])
    return [s for p in properties["Policies"] for s in p["PolicyDocument"]["Statement"]]


def allows(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    """As IAM evaluates, conditions taken for met."""
    met = [
        s["Effect"]
        for s in statements
        if any(fnmatchcase(action, each) for each in listed(s["Action"]))
        and any(fnmatchcase(resource, each) for each in listed(s["Resource"]))
    ]
    return "Allow" in met and "Deny" not in met


def cloudformation(stage: str = "homolog", **parameters: str) -> list[dict[str, Any]]:
    role = github(stage, **parameters)["CloudFormationRole"]["Properties"]
    assert "Policies" not in role
    names = [each.strip("<>") for each in role["ManagedPolicyArns"]]
    return [s for name in names for s in document(name, stage, **parameters)]


# --- who ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_one_branch_of_one_repository_deploys_one_stage(stage: str) -> None:
    role = github(stage, Branch="release")["DeployRole"]["Properties"]
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert trusted["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": f"repo:owner/name:environment:{stage}",
            f"{issuer}:repository": "owner/name",
            f"{issuer}:ref": "refs/heads/release",
        }
    }


def test_the_branch_is_main_unless_another_is_named() -> None:
    (trusted,) = github()["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (condition,) = trusted["Condition"].values()
    assert condition["token.actions.githubusercontent.com:ref"] == "refs/heads/main"


def test_a_subject_may_carry_ids() -> None:
    role = github(SubjectRepository="owner-1/name-2")["DeployRole"]["Properties"]
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    (condition,) = trusted["Condition"].values()
    issuer = "token.actions.githubusercontent.com"
    assert condition[f"{issuer}:sub"] == "repo:owner-1/name-2:environment:homolog"
    assert condition[f"{issuer}:repository"] == "owner/name"


# --- what GitHub itself may do ----------------------------------------------------------------


def test_githubs_role_writes_below_its_own_prefix_alone() -> None:
    puts = [s for s in document("DeployRole") if "s3:PutObject" in listed(s["Action"])]
    (where,) = [listed(s["Resource"]) for s in puts]
    assert where == ["arn:aws:s3:::artifactbucket/vsl-homolog/*"]
    written = tomllib_stage("homolog")["s3_prefix"]
    assert written == "vsl-homolog"
    buckets = [
        resource
        for s in document("DeployRole")
        for resource in listed(s["Resource"])
        if ":s3:" in resource
    ]
    assert not any("sam-cli" in each or "/console" in each for each in buckets)


def tomllib_stage(stage: str) -> dict[str, Any]:
    import tomllib

    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    found: dict[str, Any] = config[stage]["deploy"]["parameters"]
    return found


def test_githubs_role_may_what_a_deployment_asks_and_no_more() -> None:
    """Calls of SAM's deployer, of the migration, of the preflight and of pruning."""
    actions = {a for s in document("DeployRole") for a in listed(s["Action"])}
    assert actions == {
        "cloudformation:CreateChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:GetTemplateSummary",
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:PutObject",
        "ssm:GetParameter",
        "lambda:GetAccountSettings",
        "lambda:GetFunctionConcurrency",
        "dynamodb:DescribeTable",
        "s3:ListBucket",
        "lambda:DeleteFunction",
        "lambda:ListAliases",
        "lambda:ListVersionsByFunction",
        "states:DeleteStateMachineVersion",
        "states:DescribeStateMachineAlias",
        "states:ListStateMachineAliases",
        "states:ListStateMachineVersions",
        "iam:PassRole",
    }
    for statement in document("DeployRole"):
        if statement["Resource"] == "*":
            assert statement["Action"] == "lambda:GetAccountSettings"


def test_githubs_role_hands_over_one_role_to_one_service() -> None:
    (handed,) = [s for s in document("DeployRole") if s["Action"] == "iam:PassRole"]
    assert handed["Condition"] == {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    }
    assert handed["Resource"].endswith("CloudFormationRole-1")


def test_migrations_read_the_address_also_with_a_key_of_ones_own() -> None:
    actions = [s["Action"] for s in document("DeployRole", SecretsKeyArn=KEY)]
    assert "kms:Decrypt" in actions
    (opened,) = [
        s for s in document("DeployRole", SecretsKeyArn=KEY) if s["Action"] == "kms:Decrypt"
    ]
    assert opened["Resource"] == KEY
    context = opened["Condition"]["StringEquals"]["kms:EncryptionContext:PARAMETER_ARN"]
    assert context.endswith(":parameter/vsl/homolog/database-url")


# --- what CloudFormation may do ---------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_no_role_is_an_administrator(stage: str) -> None:
    text = (REPOSITORY / "deployment/github.yaml").read_text()
    assert "AdministratorAccess" not in text
    for statement in cloudformation(stage):
        actions = listed(statement["Action"])
        if statement["Effect"] == "Allow":
            assert "*" not in actions
            assert not any(a.startswith(("iam:", "sts:")) and "*" in a for a in actions)


ESCALATING = ("AttachRolePolicy", "CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary")


def test_roles_are_made_within_the_boundary_or_not_at_all() -> None:
    for statement in cloudformation():
        if {f"iam:{a}" for a in ESCALATING} & set(listed(statement["Action"])):
            assert statement["Condition"] == {
                "StringEquals": {"iam:PermissionsBoundary": "<Boundary>"}
            }
    mine = f"arn:aws:iam::{ACCOUNT}:role/vsl-homolog-GetStatusFunctionRole-1"
    for action in ESCALATING:
        assert allows(cloudformation(), f"iam:{action}", mine)
    assert not allows(cloudformation(), "iam:DeleteRolePermissionsBoundary", mine)


@pytest.mark.parametrize(
    "name", ["role/vsl-homolog-github-DeployRole-1", "policy/vsl-homolog-github-Boundary-1"]
)
@pytest.mark.parametrize("action", [*ESCALATING, "UpdateAssumeRolePolicy", "CreatePolicyVersion"])
def test_nothing_of_this_stack_can_be_changed_by_a_deployment(name: str, action: str) -> None:
    """Its names begin like those of the stage's own roles."""
    resource = f"arn:aws:iam::{ACCOUNT}:{name}"
    assert not allows(cloudformation(), f"iam:{action}", resource)
    assert not allows(cloudformation(), "iam:PassRole", resource)


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/vsl-production-realtime-jobs",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:vsl-production-get-status",
        f"arn:aws:iam::{ACCOUNT}:role/vsl-production-GetStatusFunctionRole-1",
        f"arn:aws:s3:::vsl-production-media-{ACCOUNT}-{REGION}",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:something-else",
        f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/vsl/homolog/replicate-token",
    ],
)
def test_one_stages_role_reaches_nothing_of_another(resource: str) -> None:
    service = resource.split(":")[2]
    for action in (
        "Delete",
        "Update",
        "Put",
        "Get",
        "PutParameter",
        "DeleteTable",
        "PutRolePolicy",
    ):
        assert not allows(cloudformation(), f"{service}:{action}", resource)
    assert not allows(document("Boundary"), f"{service}:GetItem", resource)


def test_distributions_are_made_only_where_the_stage_has_one() -> None:
    for given, asked in (({}, False), ({"MediaDelivery": "cloudfront"}, True)):
        actions = {a for s in cloudformation(**given) for a in listed(s["Action"])}
        assert any(a.startswith("cloudfront:") for a in actions) == asked
        assert "cloudfront:*" not in actions
        assert "cloudfront:CreateInvalidation" not in actions


def test_policies_are_short_enough_for_iam() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    given = {"SecretsKeyArn": KEY, "MediaBucketName": "b" * 63}
    for name, each in github("production", **given).items():
        if each["Type"] == "AWS::IAM::ManagedPolicy":
            text = json.dumps(each["Properties"]["PolicyDocument"], separators=(",", ":"))
            assert len(text) < 6144 - 400, name


# --- the boundary -----------------------------------------------------------------------------


@cache
def stack() -> dict[str, Any]:
    chosen = {
        "Stage": "homolog",
        "SecretsKeyArn": KEY,
        "PermissionsBoundaryArn": BOUNDARY,
        "SubnetIds": "subnet-1",
        "SecurityGroupIds": "sg-1",
        "MediaDelivery": "cloudfront",
        **WITH["MediaDelivery"],
    }
    return resolved(transformed(chosen), chosen)


def arns(value: Any) -> Iterator[str]:
    """Resources of a statement as ARNs: what the template refers to, by its type and name."""
    for each in listed(value):
        found = re.fullmatch(r"<(\w+?)(?:\.Arn)?>(.*)", each)
        if not found:
            yield each
            continue
        name = found[1].removesuffix("Aliaslive")
        resource = stack()[name]
        properties = resource["Properties"]
        yield {
            "AWS::DynamoDB::Table": lambda p: (
                f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{p['TableName']}"
            ),
            "AWS::S3::Bucket": lambda p: f"arn:aws:s3:::{p['BucketName']}",
            "AWS::SQS::Queue": lambda p: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{p['QueueName']}",
            "AWS::Lambda::Function": lambda p: (
                f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{p['FunctionName']}:live"
            ),
            "AWS::StepFunctions::StateMachine": lambda p: (
                f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{p['StateMachineName']}"
            ),
        }[resource["Type"]](properties) + found[2]


def roles() -> dict[str, Any]:
    return of_type(stack(), "AWS::IAM::Role")


def test_every_role_of_the_stack_is_within_the_boundary() -> None:
    assert len(roles()) > 30
    outside = [
        n for n, r in roles().items() if r["Properties"].get("PermissionsBoundary") != BOUNDARY
    ]
    assert outside == []


def test_without_a_boundary_roles_are_as_before() -> None:
    for each in of_type(resolved(transformed()), "AWS::IAM::Role").values():
        assert "PermissionsBoundary" not in each["Properties"]


def test_the_boundary_lets_every_role_do_what_it_is_for() -> None:
    boundary = document("Boundary", SecretsKeyArn=KEY)
    seen = 0
    for name, role in roles().items():
        properties = role["Properties"]
        own = [
            s
            for p in properties.get("Policies", ())
            for s in listed(p["PolicyDocument"]["Statement"])
        ]
        for attached in properties.get("ManagedPolicyArns", ()):
            if attached.startswith("<"):
                policy = stack()[attached.strip("<>")]["Properties"]["PolicyDocument"]
                own += policy["Statement"]
            else:
                for action in READY_MADE[attached.partition(":policy/")[2]]:
                    where = "function:vsl-homolog-x:live" if action.startswith("lambda:") else "x"
                    resource = f"arn:aws:lambda:{REGION}:{ACCOUNT}:{where}"
                    assert allows(boundary, action, resource), f"{name}: {action}"
        for statement in own:
            if statement["Effect"] == "Deny":
                continue
            for action in listed(statement["Action"]):
                for resource in arns(statement["Resource"]):
                    seen += 1
                    assert allows(boundary, action, resource), f"{name}: {action} at {resource}"
    assert seen > 100


def test_the_boundary_makes_no_roles_and_no_stacks() -> None:
    actions = {a for s in document("Boundary", SecretsKeyArn=KEY) for a in listed(s["Action"])}
    services = {action.partition(":")[0] for action in actions}
    assert not services & {"iam", "sts", "cloudformation", "organizations"}
    assert not any("*" in action for action in actions)


# --- the workflow -----------------------------------------------------------------------------


def test_the_workflow_gives_what_the_stack_puts_out() -> None:
    text = (REPOSITORY / ".github/workflows/deploy.yml").read_text()
    outputs = load_yaml(REPOSITORY / "deployment/github.yaml")["Outputs"]
    for output in outputs.values():
        variable = output["Description"].removeprefix("The variable ").rstrip(".")
        assert f"vars.{variable} }}}}" in text, variable
    (job,) = yaml.safe_load(text)["jobs"].values()
    assert "github.ref" in job["if"], "a run of another branch ends before it asks for anything"
