"""What of a stage stays when its stack is deleted: the resources with data, which have fixed names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cli.release.account import Clients, ignored
from cli.release.template import StageTemplate

# The property that names a resource of the type, which also identifies it to CloudFormation.
NAMED_BY = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}


@dataclass(frozen=True, slots=True)
class Kept:
    """`logical` is its name in the template, `name` its own."""

    logical: str
    kind: str
    name: str


def kept_names(parameters: Mapping[str, str], account: str, region: str) -> list[Kept]:
    """What these parameters would make, and keep."""
    pseudo = {"AWS::AccountId": account, "AWS::Region": region}
    template = StageTemplate({**pseudo, **parameters})
    return [
        Kept(logical, kind, str(template.resolve(resource["Properties"][NAMED_BY[kind]])))
        for logical, resource in template.resources.items()
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate" and (kind := resource["Type"])
    ]


def present(kept: Iterable[Kept], client: Clients) -> list[Kept]:
    """Those that are there."""
    return [each for each in kept if _exists(each, client)]


def _exists(kept: Kept, client: Clients) -> bool:
    absent = True
    with ignored("ResourceNotFoundException", "404", "NoSuchBucket", "NotFound"):
        if kept.kind == "AWS::DynamoDB::Table":
            client("dynamodb").describe_table(TableName=kept.name)
        else:
            client("s3").head_bucket(Bucket=kept.name)
        absent = False
    return not absent
