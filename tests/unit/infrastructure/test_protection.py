"""What the template promises of data at rest; .checkov.yaml leaves these to us."""

from typing import Any

import pytest

from tests.support.template import template

RESOURCES: dict[str, Any] = template()["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    found = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == kind}
    assert found, kind
    return found


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("AWS::DynamoDB::Table", "SSESpecification", {"SSEEnabled": True}),
        ("AWS::SQS::Queue", "SqsManagedSseEnabled", True),
        (
            "AWS::Logs::LogGroup",
            "KmsKeyId",
            {"Fn::If": ["HasLogKey", {"Ref": "LogKeyArn"}, {"Ref": "AWS::NoValue"}]},
        ),
        ("AWS::Logs::LogGroup", "RetentionInDays", {"Ref": "LogRetentionDays"}),
    ],
)
def test_every_resource_of_a_kind_is_protected(kind: str, name: str, value: object) -> None:
    lacking = [n for n, properties in of_type(kind).items() if properties.get(name) != value]
    assert lacking == []


def test_the_bucket_is_encrypted_and_closed_unless_media_is_public() -> None:
    (bucket,) = of_type("AWS::S3::Bucket").values()
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    unless_public = {"Fn::If": ["MediaIsPublic", False, True]}
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": unless_public,
        "RestrictPublicBuckets": unless_public,
    }


def test_the_bucket_speaks_tls_alone() -> None:
    (policy,) = of_type("AWS::S3::BucketPolicy").values()
    first = policy["PolicyDocument"]["Statement"][0]
    assert (first["Effect"], first["Principal"], first["Action"]) == ("Deny", "*", "s3:*")
    assert first["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_eventbridge_calls_keeps_what_failed() -> None:
    """The functions that are called without anybody waiting, each with a queue of its own."""
    called = {
        name: properties
        for name, properties in of_type("AWS::Serverless::Function").items()
        if {e["Type"] for e in properties.get("Events", {}).values()} - {"Api"}
    }
    queues = [
        f["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
        for f in called.values()
    ]
    assert called
    assert len({str(queue) for queue in queues}) == len(called)


def test_no_secret_stands_in_an_environment() -> None:
    """Secrets are read from SSM when they are needed."""
    names = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    for function in of_type("AWS::Serverless::Function").values():
        names |= set(function.get("Environment", {}).get("Variables", {}))
    telling = {"SECRET", "TOKEN", "PASSWORD", "KEY", "DATABASE_URL", "REDIS_URL"}
    assert [n for n in names if any(word in n for word in telling)] == []
