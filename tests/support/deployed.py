"""What CloudFormation gets: the template as `make build` finishes it and SAM's translator transforms it.

AWS cannot be asked here, so a test asserts on this result, for whatever parameters it chooses.
"""

import copy
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cli.release.finish import finish
from devstack.intrinsics import Resolver
from devstack.paths import TEMPLATE
from devstack.template import FUNCTION, LAYER, load_template
from devstack.translate import translate

BUILT_AT = datetime(2026, 3, 1, 12, 5, 9, tzinfo=UTC)
REGION, ACCOUNT = "us-east-1", "123456789012"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "vsl-production",
    "AWS::URLSuffix": "amazonaws.com",
}
# What `sam package` uploads, by the property that is left with its address.
PACKAGED = {
    FUNCTION: "CodeUri",
    LAYER: "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
# A value other than the default for each parameter that a condition looks at.
OTHER = {
    "Stage": ("production",),
    "Rollout": ("AllAtOnce", "Linear10PercentEvery3Minutes"),
    "LogKeyArn": ("arn:aws:kms:us-east-1:123456789012:key/logs",),
    "LogLevel": ("DEBUG", "ERROR"),
    "SecretsKeyArn": ("arn:aws:kms:us-east-1:123456789012:key/secrets",),
    "SubnetIds": ("subnet-1a,subnet-2b",),
    "ApiAuth": ("COGNITO", "IAM"),
    "CorsOrigins": ("https://a.example,https://b.example", "*"),
    "DomainName": ("media.example.com",),
    "PublicApiUrl": ("https://front.example.com",),
    "ManageApiGatewayAccount": ("false",),
    "AlarmEmail": ("operators@example.com",),
    "MediaBucketName": ("a-name-of-its-own",),
    "MediaAccess": ("public",),
    "MediaDelivery": ("cloudfront",),
    "MediaDomainName": ("files.example.com",),
}
# The lines of a PEM, as the parameters take them; no key of anybody's.
PUBLIC_KEYS = {
    place: ",".join([*(f"{n}{place}/+" * 16 for n in range(6)), f"{place}wIDAQAB"])
    for place in "AB"
}
# What a value asks for beside itself: the template's rules say so.
WITH = {
    "SubnetIds": {"SecurityGroupIds": "sg-1a"},
    "DomainName": {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/one"},
    "MediaDelivery": {"MediaPublicKeyA": PUBLIC_KEYS["A"]},
    "MediaDomainName": {
        "MediaCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/files",
    },
    "ApiAuth": {"CognitoUserPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/one"},
}

type Template = dict[str, Any]
type Change = Callable[[Template], None]


@cache
def _built(at: datetime) -> Template:
    with tempfile.TemporaryDirectory() as folder:
        text = TEMPLATE.read_text()
        for named in ("statemachines", "observability", "api"):
            (Path(folder) / named).symlink_to(TEMPLATE.parent / named)
        (Path(folder) / "template.yaml").write_text(text)
        finish(Path(folder) / "template.yaml", at)
        template = load_template(Path(folder) / "template.yaml")
    for name, resource in template["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind in PACKAGED:
            properties.pop("Definition", None)
            properties[PACKAGED[kind]] = f"s3://packages/{name}"
    return template


def built(at: datetime = BUILT_AT) -> Template:
    """The template as `make build` and `sam package` leave it: code, layers and machines in S3."""
    return copy.deepcopy(_built(at))


def values(parameters: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every parameter of the template: the given, else the default; of a stage on AWS."""
    defaults = {n: str(d.get("Default", "")) for n, d in _built(BUILT_AT)["Parameters"].items()}
    return {**defaults, "Stage": "production", **(parameters or {})}


def transformed(
    parameters: Mapping[str, str] | None = None,
    change: Change | None = None,
    at: datetime = BUILT_AT,
) -> Template:
    """What CloudFormation carries out, after the translator has run with these parameters."""
    template = built(at)
    if change is not None:
        change(template)
    return translate(template, values(parameters))


def resolved(
    template: Template, parameters: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """The resources that these parameters make of a transformed template, functions replaced.

    A reference to a resource becomes `<name>`, to an attribute of one `<name.attribute>`.
    """
    resolver = _resolver(template, values(parameters))
    return {name: resolver.resolve(each) for name, each in _made(template, resolver)}


class Resolutions:
    """`resolved` for many choices: each resource anew only where a value differs that it names.

    What does not differ is the same object again.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        self._named = {
            name: _parameters_named(template, resource)
            for name, resource in template["Resources"].items()
        }
        self._known: dict[tuple[str, ...], dict[str, Any]] = {}

    def of(self, parameters: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
        given = values(parameters)
        resolver = _resolver(self._template, given)
        found = {}
        for name, resource in _made(self._template, resolver):
            key = (name, *(given[each] for each in self._named[name]))
            if key not in self._known:
                self._known[key] = resolver.resolve(resource)
            found[name] = self._known[key]
        return found


def _resolver(template: Template, texts: Mapping[str, str]) -> Resolver:
    given: dict[str, Any] = dict(texts)
    for name, definition in template["Parameters"].items():
        if "List" in definition["Type"]:
            given[name] = given[name].split(",")
    made = {**PSEUDO, **{name: f"<{name}>" for name in template["Resources"]}, **given}
    return Resolver(template, made, lambda name, attribute: f"<{name}.{attribute}>")


def _made(template: Template, resolver: Resolver) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources whose condition holds, as the template has them."""
    for name, resource in template["Resources"].items():
        if "Condition" not in resource or resolver.condition(resource["Condition"]):
            yield name, resource


def _parameters_named(template: Template, value: object) -> list[str]:
    """In the value itself, and in the conditions that it names."""
    seen: set[str] = set()
    ahead = [value]
    while ahead:
        text = json.dumps(ahead.pop())
        names = {one or other for one, other in re.findall(r'"(\w+)"|\$\{(\w+)', text)} - seen
        seen |= names
        ahead += [template["Conditions"][name] for name in names & template["Conditions"].keys()]
    return sorted(seen & template["Parameters"].keys())


def choices() -> Iterator[dict[str, str]]:
    """The defaults, each other value alone, and each two of them together."""
    single = [
        {name: value, **WITH.get(name, {})} for name, others in OTHER.items() for value in others
    ]
    yield {}
    yield from single
    for first, second in itertools.combinations(single, 2):
        if not first.keys() & second.keys():
            yield {**first, **second}


def of_type(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    found = {name: each for name, each in resources.items() if each["Type"] == kind}
    assert found, kind
    return found
