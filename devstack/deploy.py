"""Deploy the product's template to the engine: what `sam deploy` does, in two seconds."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devstack.engine import ACCOUNT, REGION, client_config, session
from devstack.identity import POOL_ARN, access_document, caller_document
from devstack.intrinsics import Resolver
from devstack.paths import TEMPLATE
from devstack.sam import sam_deploy
from devstack.template import (
    Localisation,
    TemplateError,
    bootstrap_zip,
    load_template,
    localise,
)
from devstack.translate import translate

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

STACK = "vsl-local"
_PACKAGES = "vsl-local-packages"
_STACK_SECONDS = 60.0


class DeploymentFailedError(RuntimeError):
    """The stack could not be created or updated; the message names resource and reason."""


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """`template` is template.yaml or `BUILD/template.yaml` of `sam build` (then `built`); with
    `sam_folder`, a place for its files, `sam deploy` does the deployment.

    `parameters` override the template's, `secrets` become SecureStrings below /vsl/local/.
    """

    engine_url: str
    api_url: str
    replicate_url: str
    api_document: Path
    identity: Path
    secrets: Mapping[str, str]
    template: Path = TEMPLATE
    built: bool = False
    sam_folder: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployment:
    bucket: str
    table: str
    state_machine_arn: str
    outputs: Mapping[str, str]
    auth: Mapping[str, str]
    """How callers are known (`mode`), and what one needs."""
    functions: Mapping[str, str]
    """Function name by resource name."""


class Deployer:
    def __init__(self, options: DeployOptions) -> None:
        self._options = options
        boto = session()
        config = client_config()
        where = options.engine_url
        self._cloudformation: CloudFormationClient = boto.client(
            "cloudformation", endpoint_url=where, config=config
        )
        self._s3: S3Client = boto.client("s3", endpoint_url=where, config=config)
        self._ssm: SSMClient = boto.client("ssm", endpoint_url=where, config=config)
        self._dynamodb: DynamoDBClient = boto.client("dynamodb", endpoint_url=where, config=config)

    def deploy(self) -> Deployment:
        """Create or update the stack and what belongs to it. Raises TemplateError, DeploymentFailedError."""
        template = load_template(self._options.template)
        parameters = self._parameters(template)
        with ThreadPoolExecutor() as pool:
            package = pool.submit(self._package)
            translated = translate(
                localise(template, self._options.template.parent, self._localisation()),
                parameters,
            )
            package.result()
        resources = self._apply(translated, parameters)
        resolver = self._resolver(translated, parameters, resources)
        self._add_what_the_engine_drops(translated, resources, resolver)
        self._put_parameters(parameters)
        self._write_api(translated, resolver, parameters)
        return self._deployment(resources, parameters["ApiAuth"])

    def _parameters(self, template: Mapping[str, Any]) -> dict[str, str]:
        """Each of the template's parameters: ours, else its default. Raises TemplateError."""
        origin = self._options.replicate_url.split("/v1")[0]
        local = {
            "Stage": "local",
            "ApiAuth": "NONE",
            "ManageApiGatewayAccount": "false",
            "ReplicateApiUrl": self._options.replicate_url,
            "DownloadOrigins": origin,
            "AllowHttpInputs": "true",
            "CorsOrigins": "*",
            "PublicApiUrl": self._options.api_url,
            "CognitoUserPoolArn": POOL_ARN,
        }
        declared = template.get("Parameters", {})
        unknown = set(self._options.parameters) - set(declared)
        if unknown:
            text = f"The template has no parameter {', '.join(sorted(unknown))}."
            raise TemplateError(f"{text} It has: {', '.join(declared)}.")
        chosen = {**local, **self._options.parameters}
        return {
            name: str(chosen.get(name, definition.get("Default", "")))
            for name, definition in declared.items()
        }

    def _localisation(self) -> Localisation:
        return Localisation(
            code={"Bucket": _PACKAGES, "Key": "bootstrap.zip"},
            environment={
                "AWS_ENDPOINT_URL": self._options.engine_url,
                "AWS_EC2_METADATA_DISABLED": "true",
            },
            built=self._options.built,
        )

    def _package(self) -> None:
        self._s3.create_bucket(Bucket=_PACKAGES)
        self._s3.put_object(
            Bucket=_PACKAGES, Key="bootstrap.zip", Body=bootstrap_zip(self._options.built)
        )

    def _apply(
        self, template: Mapping[str, Any], parameters: Mapping[str, str]
    ) -> dict[str, tuple[str, str]]:
        """Create or update the stack; type and physical id of each resource by logical name."""
        if self._options.sam_folder is None:
            self._create_or_update(template, parameters)
        else:
            sam_deploy(
                STACK,
                self._options.template.parent,
                self._options.sam_folder,
                self._options.engine_url,
                parameters,
                self._localisation().environment,
            )
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {
            resource["LogicalResourceId"]: (
                resource["ResourceType"],
                resource.get("PhysicalResourceId", ""),
            )
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def _create_or_update(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        client = self._cloudformation
        exists = any(
            stack["StackName"] == STACK and stack["StackStatus"] != "DELETE_COMPLETE"
            for stack in client.list_stacks()["StackSummaries"]
        )
        self._s3.put_object(  # a template in the request itself may have 51 200 bytes
            Bucket=_PACKAGES, Key="template.json", Body=json.dumps(template).encode()
        )
        try:
            (client.update_stack if exists else client.create_stack)(
                StackName=STACK,
                TemplateURL=f"{self._options.engine_url}/{_PACKAGES}/template.json",
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in parameters.items()
                ],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
        except ClientError as error:
            if "No updates" not in str(error):
                raise DeploymentFailedError(str(error)) from error
        self._await_stack()

    def _await_stack(self) -> None:
        deadline = time.monotonic() + _STACK_SECONDS
        while True:
            stack = self._cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
            status = stack["StackStatus"]
            if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                return
            if not status.endswith("IN_PROGRESS") or time.monotonic() > deadline:
                raise DeploymentFailedError(f"The stack is {status}. {self._why()}")
            time.sleep(0.05)

    def _why(self) -> str:
        events = self._cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        return "\n".join(
            f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED") and event.get("ResourceStatusReason")
        )

    def _resolver(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        resources: Mapping[str, tuple[str, str]],
    ) -> Resolver:
        lists = {
            name
            for name, definition in template.get("Parameters", {}).items()
            if "List" in definition["Type"]
        }
        values: dict[str, Any] = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": STACK,
            "AWS::URLSuffix": "amazonaws.com",
        }
        values |= {
            name: value.split(",") if name in lists else value for name, value in parameters.items()
        }
        values |= {name: physical for name, (_, physical) in resources.items()}
        return Resolver(template, values, lambda name, what: _attribute(resources, name, what))

    def _add_what_the_engine_drops(
        self,
        template: Mapping[str, Any],
        resources: Mapping[str, tuple[str, str]],
        resolver: Resolver,
    ) -> None:
        """Expiry of items and lifecycle of objects: ignored in templates, honoured through the API."""
        for name, (kind, physical) in resources.items():
            properties = template["Resources"].get(name, {}).get("Properties", {})
            if kind == "AWS::DynamoDB::Table" and "TimeToLiveSpecification" in properties:
                current = self._dynamodb.describe_time_to_live(TableName=physical)
                if current["TimeToLiveDescription"].get("TimeToLiveStatus") == "DISABLED":
                    self._dynamodb.update_time_to_live(
                        TableName=physical,
                        TimeToLiveSpecification=resolver.resolve(
                            properties["TimeToLiveSpecification"]
                        ),
                    )
            if kind == "AWS::S3::Bucket" and "LifecycleConfiguration" in properties:
                rules = resolver.resolve(properties["LifecycleConfiguration"])["Rules"]
                self._s3.put_bucket_lifecycle_configuration(
                    Bucket=physical, LifecycleConfiguration={"Rules": list(map(_lifecycle, rules))}
                )

    def _put_parameters(self, parameters: Mapping[str, str]) -> None:
        prefix = f"/vsl/{parameters['Stage']}/"
        with ThreadPoolExecutor() as pool:
            list(
                pool.map(
                    lambda item: self._ssm.put_parameter(
                        Name=prefix + item[0], Value=item[1], Type=item[2], Overwrite=True
                    ),
                    [
                        *(
                            (name, value, "SecureString")
                            for name, value in self._options.secrets.items()
                        ),
                        ("api-url", self._options.api_url, "String"),
                    ],
                )
            )

    def _write_api(
        self, template: Mapping[str, Any], resolver: Resolver, parameters: Mapping[str, str]
    ) -> None:
        """The OpenAPI document as deployed, for the gateway."""
        bodies = [
            resource["Properties"]["Body"]
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::ApiGateway::RestApi"
        ]
        if len(bodies) != 1:
            raise TemplateError(f"Expected one REST API in the template, found {len(bodies)}.")
        document = {
            "document": resolver.resolve(bodies[0]),
            "stage": parameters["Stage"],
            "access": access_document(
                parameters["ApiAuth"], self._options.identity, self._api_keys()
            ),
        }
        draft = self._options.api_document.with_suffix(".draft")
        draft.write_text(json.dumps(document))
        draft.rename(self._options.api_document)

    def _api_keys(self) -> list[str]:
        client = session().client(
            "apigateway", endpoint_url=self._options.engine_url, config=client_config()
        )
        return [str(key["value"]) for key in client.get_api_keys(includeValues=True)["items"]]

    def _deployment(self, resources: Mapping[str, tuple[str, str]], auth: str) -> Deployment:
        stack = self._cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {
            str(output["OutputKey"]): str(output["OutputValue"])
            for output in stack.get("Outputs", ())
        }
        try:
            return Deployment(
                bucket=outputs["BucketName"],
                table=outputs["TableName"],
                state_machine_arn=outputs["MediaJobStateMachineArn"],
                outputs=outputs,
                auth=caller_document(auth, self._options.identity, self._api_keys()),
                functions={
                    name: physical
                    for name, (kind, physical) in resources.items()
                    if kind == "AWS::Lambda::Function"
                },
            )
        except KeyError as error:
            raise TemplateError(f"The template has no output {error}.") from None


def _attribute(resources: Mapping[str, tuple[str, str]], name: str, what: str) -> str:
    """What `Fn::GetAtt` gives in an OpenAPI body or a lifecycle: ARNs, for the types that occur there."""
    kind, physical = resources.get(name, ("", ""))
    arns = {
        "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{physical}",
        "AWS::StepFunctions::StateMachine": physical,
        "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{physical}",
        "AWS::S3::Bucket": f"arn:aws:s3:::{physical}",
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{physical}",
    }
    if what != "Arn" or kind not in arns:
        raise TemplateError(f"Fn::GetAtt {name}.{what} is not known to the local stack.")
    return arns[kind]


def _lifecycle(rule: Mapping[str, Any]) -> Any:
    """A rule of the template (AWS::S3::Bucket) in the words of the S3 API."""
    converted: dict[str, Any] = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if "ExpirationInDays" in rule:
        converted["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "Transitions" in rule:
        converted["Transitions"] = [
            {"StorageClass": step["StorageClass"], "Days": int(step["TransitionInDays"])}
            for step in rule["Transitions"]
        ]
    if "AbortIncompleteMultipartUpload" in rule:
        converted["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return converted
