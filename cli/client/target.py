"""Which deployment a command speaks to, as whom: a local stack, a stage on AWS, or any address."""

import base64
import binascii
import getpass
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.client.errors import CommandError, Exit
from devstack.paths import StateFolder, program
from devstack.stack import running_stack

if TYPE_CHECKING:
    import httpx

_ME = "me"
STAGES = ("homolog", "production")


@dataclass(frozen=True, slots=True)
class Target:
    """`options` repeat the choice on a command line; `document` is the local stack's own, if it is one.

    `user` None: the one whose key it is, which the API knows and we do not.
    """

    url: str
    user: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: "httpx.Auth | None" = None
    options: str = ""
    document: Mapping[str, Any] | None = None

    def command(self, words: str) -> str:
        """How a person would call `vsl` with these words for the same target and user."""
        return f"{program()} {words}{self.options}"


def resolve(state: Path | None, stage: str | None, user: str | None) -> Target:
    """--stage, --state, VSL_API_URL, VSL_STAGE, the default local stack: the first that is given.

    Raises CommandError when there is nothing to speak to, or the user id is invalid.
    """
    one_target(state, stage)
    token = os.environ.get("VSL_TOKEN")
    chosen = f" --user {user}" if user else ""
    user = user or os.environ.get("VSL_USER")
    given = valid_user(user) if user else _subject(token)
    who = given or clean_user(_login())
    headers = {"Authorization": token} if token else {}
    if stage is None and state is None:
        address = os.environ.get("VSL_API_URL")
        if address:
            key = os.environ.get("VSL_API_KEY")
            headers |= {"x-api-key": key} if key and not token else {}
            known = given if key and is_minted(key) and not token else who
            return Target(address.rstrip("/"), known, headers, options=chosen)
        stage = os.environ.get("VSL_STAGE")
    if stage:
        return _deployed(stage, (given, who), headers, f" --stage {stage}{chosen}")
    # The user of every example, so that what was made by one is found by all.
    return _local(state, given or _ME, headers, chosen)


def one_target(state: Path | None, stage: str | None) -> None:
    """Raises CommandError when both are given."""
    if stage and state:
        message = "--state names a local stack and --stage a deployed one: give one of them."
        raise CommandError("TwoTargets", message, Exit.REFUSED)


def running(state: Path | None) -> dict[str, Any]:
    """The document of the local stack. Raises CommandError when none is running."""
    folder = StateFolder.at(state)
    document = running_stack(folder)
    if document is None:
        message = f"No stack is running in {folder.root}."
        start = f"`{program()} up --detach`"
        hint = f"Start one with {start}, or name a deployed one with --stage or VSL_API_URL."
        raise CommandError("NoStack", message, Exit.UNAVAILABLE, hint)
    return document


def _local(state: Path | None, who: str, headers: dict[str, str], chosen: str) -> Target:
    """With the credentials that `vsl up --auth` wrote into the state folder."""
    document = running(state)
    known, auth = document["auth"], None
    if known["mode"] in {"API_KEY", "KEYS"}:
        headers = {"x-api-key": known["apiKey"]}
    elif known["mode"] == "COGNITO" and not headers:
        from devstack.identity import Identity

        headers = {"Authorization": Identity.of(StateFolder.at(state).identity).token(who)}
    elif known["mode"] == "IAM":
        from cli.client.signing import SignedByAws

        auth = SignedByAws.by(known["accessKeyId"], known["secretAccessKey"], known["region"])
        headers = {}
    options = (f" --state {state}" if state else "") + chosen
    return Target(document["apiUrl"], who, headers, auth, options, document)


def _deployed(
    stage: str, users: tuple[str | None, str], headers: dict[str, str], options: str
) -> Target:
    """Outputs and parameters of the stack, with the AWS profile of the environment. `users` are the one who
    was named, if any, and the one to take otherwise."""
    valid_stage(stage)
    outputs, parameters = stack_facts(stage)
    url, auth = outputs["ApiUrl"].rstrip("/"), None
    given, who = users
    user: str | None = who
    kind = parameters.get("ApiAuth", "API_KEY")
    if kind == "API_KEY":
        headers = {"x-api-key": os.environ.get("VSL_API_KEY") or _key(outputs["ApiKeyId"])}
    elif kind == "KEYS":
        headers, user = {"x-api-key": _minted_key(stage)}, given
    elif kind == "IAM":
        from cli.client.signing import SignedByAws

        auth, headers = SignedByAws.from_environment(), {}
    elif kind == "COGNITO" and not headers:
        message = (
            f"{stage} knows its callers by a token of its user pool, and VSL_TOKEN is not set."
        )
        hint = "Sign in to the pool and put the token into VSL_TOKEN."
        raise CommandError("NoToken", message, Exit.NOT_ALLOWED, hint)
    return Target(url, user, headers, auth, options)


def is_minted(key: str) -> bool:
    """Whether it is one of VSL's own, which may be a user's, and not API Gateway's."""
    return key.startswith("vsl_")


def _minted_key(stage: str) -> str:
    key = os.environ.get("VSL_API_KEY")
    if not key:
        message = f"{stage} knows its callers by keys of its own, and VSL_API_KEY is not set."
        hint = f"`{program()} keys create --user USER --stage {stage}` makes one, with AWS credentials."
        raise CommandError("NoKey", message, Exit.NOT_ALLOWED, hint)
    return key


def stack_facts(stage: str) -> tuple[dict[str, str], dict[str, str]]:
    """(outputs, parameters) of the stage's CloudFormation stack. Raises CommandError."""
    name = f"vsl-{stage}"
    with aws_errors(f"The stack {name} cannot be read"):
        (stack,) = aws_client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())}
    if "ApiUrl" not in outputs:
        message = f"The stack {name} is {stack['StackStatus']} and has no address yet."
        hint = f"`{program()} deploy --stage {stage}` finishes or repeats the deployment."
        raise CommandError("NotDeployed", message, Exit.UNAVAILABLE, hint)
    return outputs, given


def secret(stage: str, name: str) -> str:
    """The SecureString /vsl/{stage}/{name}. Raises CommandError."""
    path = f"/vsl/{stage}/{name}"
    with aws_errors(f"The parameter {path} cannot be read"):
        found = aws_client("ssm").get_parameter(Name=path, WithDecryption=True)
    return str(found["Parameter"]["Value"])


def _key(key_id: str) -> str:
    with aws_errors(f"The API key {key_id} cannot be read"):
        found = aws_client("apigateway").get_api_key(apiKey=key_id, includeValue=True)
    return str(found["value"])


def aws_client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard"})
    return boto3.client(service, config=config)  # type: ignore[call-overload]


@contextmanager
def aws_errors(what: str) -> Iterator[None]:
    """Whatever AWS or its configuration refuses, as one error that says where to look."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        hint = "AWS_PROFILE and AWS_DEFAULT_REGION choose account and region; see docs/deploy.md."
        message = f"{what}: {error}"
        raise CommandError("AwsRefused", message, Exit.UNAVAILABLE, hint) from error


def valid_stage(stage: str) -> str:
    """Raises CommandError."""
    if stage not in STAGES:
        message = f"There is no stage {stage!r}."
        raise CommandError("UnknownStage", message, Exit.REFUSED, f"Take {' or '.join(STAGES)}.")
    return stage


def valid_user(user: str) -> str:
    from vsl.domain.api.request import is_user_id

    if not is_user_id(user):
        message = f"{user!r} is not a user id."
        hint = "1 to 128 letters, digits or . _ @ : | + = ~ -, a letter or digit first."
        raise CommandError("InvalidUser", message, Exit.REFUSED, hint)
    return user


def clean_user(name: str) -> str:
    """A login name as a user id: what is not allowed in one becomes a hyphen."""
    cleaned = re.sub(r"[^A-Za-z0-9._@:|+=~-]+", "-", name).lstrip("._@:|+=~-")[:128]
    return cleaned or _ME


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return _ME


def _subject(token: str | None) -> str | None:
    """The user a token is for. Unchecked: the API checks it, we only repeat what it will find."""
    try:
        part = (token or "").removeprefix("Bearer ").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
