"""`vsl deploy --stage`: validate, build, migrate, deploy, and try what was deployed."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devstack.client.api import Api
from devstack.client.errors import CommandError, Exit
from devstack.client.screen import Screen
from devstack.client.target import STAGES, resolve, secret
from devstack.client.wording import seconds
from devstack.paths import REPOSITORY
from devstack.release.smoke import Check, smoke

SAM = ".venvs/sam/bin/sam"


@dataclass(frozen=True, slots=True)
class Step:
    """`shown` is what a person would type; `run` does it. Raises CommandError."""

    name: str
    shown: str
    run: Callable[[], object]
    hint: str = ""


def steps(stage: str, *, yes: bool) -> list[Step]:
    """Everything up to the moment traffic moves. A step that fails ends the deployment there."""
    confirm = " DEPLOY_ARGS=--no-confirm-changeset" if yes else ""
    deploy = f"make --old-file=build deploy STAGE={stage}{confirm}"
    return [
        _command("build", "make build", "What it says above is about your working tree."),
        _command("validate", f"{SAM} validate --lint", "Correct template.yaml."),
        Step("migrate", f"vsl db migrate --stage {stage}", lambda: _migrate(stage)),
        _command("deploy", deploy, "CloudFormation has gone back to what was deployed before."),
    ]


def deploy_stage_command(stage: str, screen: Screen, *, yes: bool, dry_run: bool) -> None:
    """Raises CommandError at the first step that fails."""
    if stage not in STAGES:
        message = f"There is no stage {stage!r}."
        raise CommandError("UnknownStage", message, Exit.REFUSED, f"Take {' or '.join(STAGES)}.")
    planned = steps(stage, yes=yes)
    if dry_run:
        lines = [
            *((step.name, step.shown) for step in planned),
            ("smoke test", "reads only; costs nothing"),
        ]
        if screen.as_json:
            screen.answer({"stage": stage, "steps": [{"name": n, "command": c} for n, c in lines]})
        for name, shown in () if screen.as_json else lines:
            screen.out.print(f"{name:<11}{shown}", markup=False, soft_wrap=True)
        return
    done = run(planned, screen)
    began = time.monotonic()
    with Api(resolve(None, stage, None)) as api:
        checks = smoke(api)
    report(checks, stage, screen)
    if screen.as_json:
        done.append({"name": "smoke test", "seconds": round(time.monotonic() - began, 1)})
        screen.answer(
            {"stage": stage, "steps": done, "checks": [each.document() for each in checks]}
        )


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
        details = [each.document() for each in checks]
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


def _migrate(stage: str) -> None:
    from database.migrate import MigrationError, migrate

    try:
        migrate(secret(stage, "database-url"))
    except MigrationError as error:
        hint = "The database must be reachable from here; nothing was deployed."
        raise CommandError("MigrationFailed", str(error), Exit.FAILED, hint) from error
