"""`python -m cli.release.preflight STAGE [Name=Value …]`: can the account take the deployment?

Looks only; what would fail half-way is refused here, with what to do about it.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.client.errors import CommandError, Exit
from cli.client.target import aws_client, aws_errors, valid_stage
from cli.release.account import Clients, ignored, stack_status
from cli.release.kept import kept_names, present
from cli.release.reserves import UNRESERVED_LEAST, reserves
from cli.release.template import StageTemplate
from devstack.paths import REPOSITORY, program

# Clients that wait for their jobs may hold one of so many executions; webhooks and steps need the others.
_WAITS_SHARE = 5
_QUOTA = (
    "`aws service-quotas request-service-quota-increase --service-code lambda"
    " --quota-code L-B99A9384 --desired-value 1000` asks for more"
)
# Stacks in these states can only be deleted; the first was never there at all.
_FAILED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}


@dataclass(frozen=True, slots=True)
class Account:
    number: str
    region: str | None
    client: Clients


def check(stage: str, parameters: Mapping[str, str], account: Account) -> list[str]:
    """What to say before the deployment of a stage with these parameters. Raises CommandError."""
    if not account.region:
        message = "No region is chosen."
        raise CommandError("NoRegion", message, Exit.REFUSED, "Set AWS_DEFAULT_REGION.")
    status = stack_status(stage, account.client)
    _check_stack(stage, status)
    if status is None:
        _check_leftovers(stage, parameters, account)
    return _concurrency(parameters, account)


def configured(stage: str) -> dict[str, str]:
    """The parameters that `sam deploy --config-env STAGE` gives."""
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    pairs = config[stage]["deploy"]["parameters"]["parameter_overrides"]
    return dict(pair.split("=", 1) for pair in pairs)


def preflight(stage: str, given: Mapping[str, str]) -> list[str]:
    """`check` with the environment's account and the stage's parameters, those given in their place.

    Raises CommandError.
    """
    import boto3

    with aws_errors("The account cannot be read"):
        region = boto3.Session().region_name
        number = aws_client("sts").get_caller_identity()["Account"] if region else ""
        account = Account(str(number), region, aws_client)
        return check(stage, {**configured(stage), **given}, account)


def _check_stack(stage: str, status: str | None) -> None:
    name = f"vsl-{stage}"
    if status in _FAILED:
        message = f"The stack {name} is {status}: it was never made, and cannot be updated."
        hint = f"`aws cloudformation delete-stack --stack-name {name}` takes it away; then deploy again."
        raise CommandError("FailedStack", message, Exit.REFUSED, hint)
    if status is not None and status.endswith("IN_PROGRESS"):
        message = f"The stack {name} is {status}."
        hint = "Another deployment is under way: wait for its end."
        raise CommandError("DeploymentUnderWay", message, Exit.UNAVAILABLE, hint)


def _check_leftovers(stage: str, parameters: Mapping[str, str], account: Account) -> None:
    names = kept_names(parameters, account.number, str(account.region))
    found = present(names, account.client)
    if found:
        message = (
            f"There is no stack vsl-{stage}, and its data is there: "
            f"{', '.join(each.name for each in found)}."
        )
        hint = f"`{program()} leftovers --stage {stage}` adopts it, or removes what is empty."
        raise CommandError("Leftovers", message, Exit.REFUSED, hint)


def _concurrency(parameters: Mapping[str, str], account: Account) -> list[str]:
    client = account.client("lambda")
    limit = client.get_account_settings()["AccountLimit"]
    quota, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    wanted = reserves(parameters)
    own = sum(_reserved_now(client, name) for name in wanted)
    least = min(UNRESERVED_LEAST, quota)
    room = free + own - least
    if sum(wanted.values()) > room:
        message = (
            f"The stage reserves {sum(wanted.values())} executions and the account can give "
            f"{max(0, room)}: it allows {quota} executions at once, and Lambda keeps {least} of "
            "them for functions without a reserve."
        )
        hint = (
            f"{_QUOTA}; until then deploy with ReservedPerStep=0 ReservedForStoreMedia=0 in "
            "samconfig.toml."
        )
        raise CommandError("TooLittleConcurrency", message, Exit.LIMITED, hint)
    waits, most = int(StageTemplate(parameters).parameters["WaitsAtOnce"]), quota // _WAITS_SHARE
    if waits > most:
        text = (
            f"The account allows {quota} executions at once, and clients that wait for their jobs may "
            f"hold {waits} of them (WaitsAtOnce), so that webhooks and steps wait behind them"
        )
        return [f"{text}: deploy with WaitsAtOnce={most}. {_QUOTA}."]
    return []


def _reserved_now(client: Any, function: str) -> int:
    found: dict[str, int] = {}
    with ignored("ResourceNotFoundException"):
        found = client.get_function_concurrency(FunctionName=function)
    return found.get("ReservedConcurrentExecutions", 0)


def main(stage: str, *given: str) -> int:
    try:
        named = dict(pair.split("=", 1) for pair in given)
        for line in preflight(valid_stage(stage), named):
            print(line, file=sys.stderr)
    except CommandError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
