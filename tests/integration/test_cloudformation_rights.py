"""CloudFormation's role may do what it does for the stack's resources, after their own schemas.

Each schema names the calls its handlers make; cfn-lint carries them. Those for what no resource here
uses are left out by name.
"""

import json
import subprocess
from fnmatch import fnmatchcase
from functools import cache

import pytest

from devstack import environments
from devstack.paths import python_of
from tests.support.deployed import PUBLIC_KEYS, resolved, transformed
from tests.unit.infrastructure.test_github_role import cloudformation, listed

pytestmark = pytest.mark.integration

DISTRIBUTES = {"MediaDelivery": "cloudfront"}
PROGRAM = """
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
found = {}
for kind in json.load(sys.stdin):
    handlers = schemas.get_resource_schema("us-east-1", kind).schema.get("handlers") or {}
    asked = (handlers.get(name, {}).get("permissions", []) for name in ("create", "read", "update", "delete"))
    found[kind] = sorted({each for permissions in asked for each in permissions})
json.dump(found, sys.stdout)
"""
# Of features that the template does not use: of resource (pattern), and the calls (patterns).
NOT_USED = {
    "AWS::ApiGateway::Account": ["iam:GetRole"],
    "AWS::ApiGateway::RestApi": ["apigateway:UpdateRestApiPolicy", "s3:GetObject"],
    "AWS::CloudFront::Distribution": [
        "cloudfront:*ConnectionGroup",
        "cloudfront:CreateDistributionWithTags",  # for IAM it is CreateDistribution and TagResource
        "cloudfront:GetVpcOrigin",
        "cloudfront:UpdateDistributionWithStagingConfig",
    ],
    "AWS::DynamoDB::Table": ["kinesis:*", "s3:*", "logs:*", "kms:*", "iam:*"],
    "AWS::IAM::ManagedPolicy": ["iam:*GroupPolicy", "iam:*UserPolicy"],
    # Taking a boundary away is what the role may not.
    "AWS::IAM::Role": ["iam:DeleteRolePermissionsBoundary"],
    "AWS::Lambda::EventSourceMapping": ["kms:*"],
    "AWS::Lambda::Function": [
        "elasticfilesystem:*",
        "s3files:*",
        "kms:*",
        "lambda:*CodeSigning*",
        "lambda:PassCapacityProvider",
        "lambda:AssociateRuntimeAlias",
    ],
    "AWS::Lambda::LayerVersion": [],
    "AWS::Logs::LogGroup": ["firehose:*", "s3:*"],
    "AWS::S3::Bucket": ["s3tables:*", "iam:PassRole"],
    "AWS::SNS::*": ["iam:GetRole", "iam:PassRole"],
    "AWS::StepFunctions::StateMachine": ["kms:*"],
}


@cache
def needed() -> dict[str, list[str]]:
    environments.ensure(("sam",))
    chosen = {
        **DISTRIBUTES,
        "MediaPublicKeyA": PUBLIC_KEYS["A"],
        "MediaPublicKeyB": PUBLIC_KEYS["B"],
    }
    made = resolved(transformed(chosen), chosen)
    kinds = sorted({each["Type"] for each in made.values()})
    done = subprocess.run(
        [python_of("sam"), "-c", PROGRAM],
        input=json.dumps(kinds),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def granted() -> list[str]:
    return [
        action
        for statement in cloudformation(**DISTRIBUTES)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    ]


def test_every_call_of_every_handler_is_allowed() -> None:
    assert len(needed()) > 30
    missing = {}
    for kind, actions in needed().items():
        left_out = [
            pattern
            for name, patterns in NOT_USED.items()
            if fnmatchcase(kind, name)
            for pattern in patterns
        ]
        lacking = [
            action
            for action in actions
            if not any(fnmatchcase(action, each) for each in (*granted(), *left_out))
        ]
        if lacking:
            missing[kind] = lacking
    assert missing == {}


def test_what_is_left_out_is_asked_for_by_a_schema() -> None:
    """So that the list above does not outlive its reason."""
    for name, patterns in NOT_USED.items():
        actions = [a for kind, found in needed().items() if fnmatchcase(kind, name) for a in found]
        assert actions, name
        for pattern in patterns:
            assert any(fnmatchcase(action, pattern) for action in actions), pattern


def test_no_service_is_granted_that_no_resource_is_of() -> None:
    asked = {action.partition(":")[0] for found in needed().values() for action in found}
    assert {action.partition(":")[0] for action in granted()} <= asked
