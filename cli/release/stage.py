"""`vsl deploy --stage`: validate, build, migrate, deploy, and try what was deployed."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from cli.client.api import Api
from cli.client.errors import CommandError, Exit
from cli.client.formatting import seconds
from cli.client.screen import Screen
from cli.client.target import resolve, secret, stack_facts, valid_stage
from cli.release.database import migration_errors
from cli.release.deploy import SAM, parameters
from cli.release.preflight import preflight
from cli.release.prune import prune
from cli.release.smoke import Check, smoke
from database.address import here
from database.migrate import migrate
from devstack.paths import REPOSITORY


@dataclass(frozen=True, slots=True)
class Step:
    """`shown` is what a person would type; `run` does it. Raises CommandError."""

    name: str
    shown: str
    run: Callable[[], object]
    hint: str = ""


def steps(
    stage: str, *, yes: bool, given: Sequence[str] = (), screen: Screen | None = None
) -> list[Step]:
    """Everything up to the moment traffic moves. A step that fails ends the deployment there."""
    confirm = " DEPLOY_ARGS=--no-confirm-changeset" if yes else ""
    named = f" PARAMETERS={shlex.quote(' '.join(given))}" if given else ""
    deploy = f"make --old-file=preflight --old-file=build deploy STAGE={stage}{named}{confirm}"
    look = f"make preflight STAGE={stage}{named}"
    return [
        Step("preflight", look, lambda: _look(stage, given, screen or Screen())),
        _command(
            "build", f"make build STAGE={stage}", "What it says above is about your working tree."
        ),
        _command("validate", f"{SAM} validate --lint", "Correct template.yaml."),
        Step("migrate", f"vsl db migrate --stage {stage}", lambda: _migrate(stage)),
        _command("deploy", deploy, "CloudFormation has gone back to what was deployed before."),
    ]


def deploy_stage_command(
    stage: str, screen: Screen, *, yes: bool, dry_run: bool, given: Sequence[str] = ()
) -> None:
    """`given` are parameters, `Name=Value`. Raises CommandError at the first step that fails."""
    valid_stage(stage)
    _check(given)
    planned = steps(stage, yes=yes, given=given, screen=screen)
    if dry_run:
        lines = [
            *((step.name, step.shown) for step in planned),
            ("smoke test", "reads only; costs nothing"),
            ("prune", f"vsl prune --stage {stage}"),
        ]
        if screen.answer({"stage": stage, "steps": [{"name": n, "command": c} for n, c in lines]}):
            return
        for name, shown in lines:
            screen.out.print(f"{name:<11}{shown}", markup=False, soft_wrap=True)
        return
    done = run(planned, screen)
    began = time.monotonic()
    checks = _smoke(stage, screen)
    report(checks, stage, screen)
    _prune(stage, screen)
    for line in advice(stage, stack_facts(stage)[1]):
        screen.say(line, "yellow")
    done.append({"name": "smoke test", "seconds": round(time.monotonic() - began, 1)})
    screen.answer({"stage": stage, "steps": done, "checks": list(map(asdict, checks))})


def _smoke(stage: str, screen: Screen) -> list[Check]:
    """None where callers need a key that only what was just deployed can make."""
    try:
        with Api(resolve(None, stage, None)) as api:
            return smoke(api)
    except CommandError as error:
        if error.code != "NoKey":
            raise
        screen.say(f"No smoke test: {error.message} {error.hint}", "yellow")
        return []


def advice(stage: str, configured: Mapping[str, str]) -> list[str]:
    """What the parameters of a stack that works leave to be done."""
    if stage == "production" and configured.get("ProtectTables") != "true":
        return ["Its tables may be deleted: set ProtectTables=true in samconfig.toml from now on."]
    return []


def run(planned: Sequence[Step], screen: Screen) -> list[dict[str, object]]:
    done: list[dict[str, object]] = []
    for step in planned:
        screen.say(f"▶ {step.name}  {step.shown}", "bold")
        began = time.monotonic()
        try:
            step.run()
        except CommandError as error:
            error.message = f"{step.name}: {error.message}"
            error.hint = error.hint or step.hint
            raise
        passed = time.monotonic() - began
        screen.say(f"✓ {step.name}  {seconds(passed)}", "green")
        done.append({"name": step.name, "command": step.shown, "seconds": round(passed, 1)})
    return done


def report(checks: Sequence[Check], name: str, screen: Screen) -> None:
    """Raises CommandError when a check failed."""
    for each in checks:
        mark, style = ("✓", "green") if each.passed else ("✗", "red")
        screen.say(f"{mark} {each.name}  {each.found}", style)
    failed = [each for each in checks if not each.passed]
    if failed:
        message = f"{name} is deployed, and {len(failed)} of {len(checks)} checks failed."
        hint = f"`vsl doctor --stage {name}` looks closer; to go back, deploy the version before."
        details = list(map(asdict, checks))
        raise CommandError("SmokeTestFailed", message, Exit.FAILED, hint, checks=details)


def _command(name: str, shown: str, hint: str) -> Step:
    def execute() -> None:
        own = str(REPOSITORY / ".venv" / "bin")
        environment = {
            **os.environ,
            "PATH": f"{own}:{os.environ.get('PATH', '')}",
            "SAM_CLI_TELEMETRY": "0",
        }
        sys.stderr.flush()
        # Their words are for people: stdout is kept for the one JSON object.
        done = subprocess.run(
            shlex.split(shown), cwd=REPOSITORY, env=environment, stdout=sys.stderr, check=False
        )
        if done.returncode != 0:
            message = f"`{shown}` ended with {done.returncode}."
            raise CommandError("StepFailed", message, Exit.FAILED, hint, step=name)

    return Step(name, shown, execute, hint)


def _check(given: Sequence[str]) -> None:
    try:
        parameters(given)
    except ValueError as error:
        hint = "template.yaml lists them."
        raise CommandError("UnknownParameter", str(error), Exit.REFUSED, hint) from None


def _look(stage: str, given: Sequence[str], screen: Screen) -> None:
    for line in preflight(stage, dict(pair.split("=", 1) for pair in given)):
        screen.say(line, "yellow")


def _prune(stage: str, screen: Screen) -> None:
    """What is left undone here the next deployment does."""
    try:
        screen.say(f"{len(prune(stage))} old versions deleted.", "dim")
    except CommandError as error:
        screen.say(f"Old versions stay for now. {error.message}", "yellow")


def _migrate(stage: str) -> None:
    with migration_errors("The database must be reachable from here; nothing was deployed."):
        migrate(here(secret(stage, "database-url")))
