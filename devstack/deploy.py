"""Deploy the product's template to the engine: what `sam deploy` does, in two seconds."""

import contextlib
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from devstack.distribution.description import describe, distributes
from devstack.engine import ACCOUNT, REGION, client_config, session
from devstack.identity import CLIENT, POOL_ARN, Identity, access_document, caller_document
from devstack.intrinsics import Resolver
from devstack.kept_objects import bring_back
from devstack.local_keys import put_keys
from devstack.media_key import private_key, public_lines
from devstack.paths import MODELS_CONFIG, TEMPLATE, StateFolder
from devstack.sam import sam_deploy
from devstack.template import (
    CATALOGUE,
    Localisation,
    TemplateError,
    bootstrap_zip,
    load_template,
    localise,
)
from devstack.translate import translate

STACK = "vsl-local"
_PACKAGES = "vsl-local-packages"
_STACK_SECONDS = 60.0
# Secrets below /vsl/local/, each with its name in stack.json.
_SECRETS = {
    "database-url": "databaseUrl",
    "redis-url": "redisUrl",
    "replicate-token": "replicateToken",
    "replicate-webhook-secret": "webhookSecret",
    "callback-signing-secret": "callbackSecret",
    "owner-name-secret": "ownerNameSecret",
}


_PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}


class DeploymentFailedError(RuntimeError):
    """The stack could not be created or updated; the message names resource and reason."""


class Deployer:
    """`stack` is the document of the local stack (stack.json); with `sam`, `sam deploy` deploys."""

    def __init__(self, stack: Mapping[str, Any], *, sam: bool = False) -> None:
        self._stack = stack
        self._state = StateFolder(Path(stack["state"]))
        self._sam = sam
        self._built = stack["build"] is not None
        self._template = Path(stack["build"]) / "template.yaml" if self._built else TEMPLATE
        self._engine = str(stack["awsEndpointUrl"])
        self._s3 = self._client("s3")
        self._cloudformation = self._client("cloudformation")

    def deploy(self) -> dict[str, Any]:
        """Create or update the stack and what belongs to it; the deployment's part of stack.json.

        Raises TemplateError, DeploymentFailedError.
        """
        template = load_template(self._template)
        parameters = self._parameters(template)
        with ThreadPoolExecutor() as pool:
            package = pool.submit(self._package)
            localised = localise(template, self._template.parent, self._localisation())
            translated = translate(localised, parameters)
            package.result()
        resources = self._apply(translated, parameters)
        resolver = self._resolver(translated, parameters, resources)
        outputs = self._outputs()
        self._add_what_the_engine_drops(translated, resources, resolver)
        self._put_parameters(parameters)
        if distributes(parameters):
            self._describe_distribution(template, parameters, outputs["bucket"])
        api_keys = [
            str(key["value"])
            for key in self._client("apigateway").get_api_keys(includeValues=True)["items"]
        ]
        self._write_api(translated, resolver, parameters, api_keys)
        functions = {
            name: physical
            for name, (kind, physical) in resources.items()
            if kind == "AWS::Lambda::Function"
        }
        auth = caller_document(parameters["ApiAuth"], self._state.identity, api_keys)
        if parameters["ApiAuth"] == "KEYS":
            table = outputs["outputs"]["ApiKeysTableName"]
            put_keys(self._client("dynamodb"), table, Identity.of(self._state.identity))
        bring_back(self._s3, outputs["bucket"])
        return {**outputs, "auth": auth, "functions": functions}

    def _client(self, service: str) -> Any:
        return session().client(  # type: ignore[call-overload]
            service, endpoint_url=self._engine, config=client_config()
        )

    def _parameters(self, template: Mapping[str, Any]) -> dict[str, str]:
        """Each of the template's parameters: ours, else its default. Raises TemplateError."""
        local = {
            "Stage": "local",
            "ApiAuth": "NONE",
            "ManageApiGatewayAccount": "false",
            CATALOGUE: str(MODELS_CONFIG),
            "ReplicateApiUrl": f"{self._stack['replicateUrl']}/v1",
            "DownloadOrigins": self._stack["replicateUrl"],
            "AllowHttpInputs": "true",
            "CorsOrigins": "*",
            "PublicApiUrl": self._stack["apiUrl"],
            "CognitoUserPoolArn": POOL_ARN,
            "CognitoClientIds": CLIENT,
        }
        declared = template.get("Parameters", {})
        unknown = set(self._stack["parameters"]) - set(declared)
        if unknown:
            text = f"The template has no parameter {', '.join(sorted(unknown))}."
            raise TemplateError(f"{text} It has: {', '.join(declared)}.")
        if distributes(self._stack["parameters"]):
            local["MediaPublicKeyA"] = public_lines(private_key(self._state.media_key))
        chosen = {**local, **self._stack["parameters"]}
        return {
            name: str(chosen.get(name, definition.get("Default", "")))
            for name, definition in declared.items()
        }

    def _localisation(self) -> Localisation:
        return Localisation(
            code={"Bucket": _PACKAGES, "Key": "bootstrap.zip"},
            environment={"AWS_ENDPOINT_URL": self._engine, "AWS_EC2_METADATA_DISABLED": "true"},
            built=self._built,
        )

    def _package(self) -> None:
        with contextlib.suppress(
            self._s3.exceptions.BucketAlreadyOwnedByYou
        ):  # of the stack before
            self._s3.create_bucket(Bucket=_PACKAGES)
        self._s3.put_object(Bucket=_PACKAGES, Key="bootstrap.zip", Body=bootstrap_zip(self._built))

    def _apply(
        self, template: Mapping[str, Any], parameters: Mapping[str, str]
    ) -> dict[str, tuple[str, str]]:
        """Create or update the stack; type and physical id of each resource by logical name."""
        if self._sam:
            folder, environment = self._state.temporary / "sam", self._localisation().environment
            build = self._template.parent
            sam_deploy(STACK, build, folder, self._engine, parameters, environment)
        else:
            self._create_or_update(template, parameters)
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {
            each["LogicalResourceId"]: (each["ResourceType"], each.get("PhysicalResourceId", ""))
            for page in pages
            for each in page["StackResourceSummaries"]
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
                TemplateURL=f"{self._engine}/{_PACKAGES}/template.json",
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
            **_PSEUDO,
            **{n: v.split(",") if n in lists else v for n, v in parameters.items()},
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
                tables = self._client("dynamodb")
                current = tables.describe_time_to_live(TableName=physical)["TimeToLiveDescription"]
                if current.get("TimeToLiveStatus") == "DISABLED":
                    wanted = resolver.resolve(properties["TimeToLiveSpecification"])
                    tables.update_time_to_live(TableName=physical, TimeToLiveSpecification=wanted)
            if kind == "AWS::S3::Bucket" and "LifecycleConfiguration" in properties:
                rules = resolver.resolve(properties["LifecycleConfiguration"])["Rules"]
                self._s3.put_bucket_lifecycle_configuration(
                    Bucket=physical, LifecycleConfiguration={"Rules": list(map(_lifecycle, rules))}
                )

    def _put_parameters(self, parameters: Mapping[str, str]) -> None:
        secrets = {name: (self._stack[key], "SecureString") for name, key in _SECRETS.items()}
        self._put(parameters["Stage"], {**secrets, "api-url": (self._stack["apiUrl"], "String")})

    def _put(self, stage: str, values: Mapping[str, tuple[str, str]]) -> None:
        """Values and types of SSM parameters, by name."""
        store = self._client("ssm")
        for name, (value, kind) in values.items():
            store.put_parameter(Name=f"/vsl/{stage}/{name}", Value=value, Type=kind, Overwrite=True)

    def _describe_distribution(
        self, template: Mapping[str, Any], parameters: Mapping[str, str], bucket: str
    ) -> None:
        """For the front that plays it, and for the functions that sign its addresses."""
        host = str(self._stack["mediaUrl"]).removeprefix("http://")
        document, told = describe(template, {**_PSEUDO, **parameters}, bucket, host)
        _write(self._state.distribution, document)
        # The template says https, which nothing on this machine speaks.
        delivery = (told.replace("https://", "http://", 1), "String")
        signing = (private_key(self._state.media_key), "SecureString")
        values = {"media-delivery": delivery, "media-private-key": signing}
        self._put(parameters["Stage"], values)

    def _write_api(
        self,
        template: Mapping[str, Any],
        resolver: Resolver,
        parameters: Mapping[str, str],
        api_keys: list[str],
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
            "access": access_document(parameters["ApiAuth"], self._state.identity, api_keys),
        }
        _write(self._state.api, document)

    def _outputs(self) -> dict[str, Any]:
        stack = self._cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
        try:
            return {
                "bucket": outputs["BucketName"],
                "table": outputs["TableName"],
                "stateMachineArn": outputs["MediaJobStateMachineArn"],
                "outputs": outputs,
            }
        except KeyError as error:
            raise TemplateError(f"The template has no output {error}.") from None


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Whole or not at all, for those who read it meanwhile."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(document))
    draft.rename(path)


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
