"""Every command: help, JSON, where to; and that help is quick."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperOption
from typer.testing import CliRunner

from cli.main import app, main
from cli.release.stage import steps
from tests.support.template import REPOSITORY


def commands(group: Any, *before: str) -> Iterator[Any]:
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, *before, name)
        else:
            yield pytest.param((*before, name), each, id=" ".join((*before, name)))


ALL = list(commands(typer.main.get_command(app)))
LOCAL = {"up", "down", "status", "logs", "demo", "token"}
# Of AWS alone.
OF_STAGES = {"prune", "leftovers"}
DEPLOYED = [each for each in ALL if each.values[0][0] not in LOCAL]
HEAVY = {"boto3", "httpx", "psycopg", "rich.table", "rich.live", "yaml", "database.migrate"}


@pytest.mark.parametrize(("words", "command"), ALL)
def test_every_command_has_help_json_and_a_state(words: tuple[str, ...], command: Any) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout
    options = {option for each in command.params for option in each.opts}
    assert ("--state" in options) == (words[0] not in OF_STAGES)
    assert "--json" in options


@pytest.mark.parametrize(("words", "command"), ALL)
def test_every_option_says_what_it_does(words: tuple[str, ...], command: Any) -> None:
    options = [each for each in command.params if isinstance(each, TyperOption)]
    assert [each.name for each in options if not each.help] == []


FOLDERS = [each for each in ALL if each.values[0][0] not in OF_STAGES]


@pytest.mark.parametrize(("words", "command"), FOLDERS)
def test_a_file_where_a_folder_belongs_is_named(
    words: tuple[str, ...], command: Any, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    needed = ["x" for each in command.params if each.required]
    shown = CliRunner().invoke(app, [*words, *needed, "--state", str(file)])
    assert shown.exit_code == 2
    assert "--state" in shown.stderr


@pytest.mark.parametrize(
    "words", ["status", "up --json", "jobs", "jobs --json", "demo", "token me"]
)
def test_a_folder_that_cannot_be_had_ends_in_an_error_not_in_a_traceback(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    below = tmp_path / "file" / "state"
    below.parent.touch()
    monkeypatch.setattr(sys, "argv", ["vsl", *words.split(), "--state", str(below)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    if "--json" in words:
        error = json.loads(printed.out)["error"]
        assert (error["code"], error["path"].startswith(str(below))) == ("FileError", True)
    else:
        assert f"{below}" in printed.err
        assert "Not a directory" in printed.err


@pytest.mark.parametrize(("words", "command"), DEPLOYED)
def test_commands_for_deployments_take_a_stage(words: tuple[str, ...], command: Any) -> None:
    assert "--stage" in {option for each in command.params for option in each.opts}, words


def test_help_loads_nothing_it_does_not_need() -> None:
    code = "import sys, cli.main; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert HEAVY & set(done.stdout.split()) == set()


def test_the_version_is_the_projects() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()
    version = CliRunner().invoke(app, ["--version"]).stdout.strip()
    assert f'\nversion = "{version}"\n' in text


def test_a_stage_is_deployed_by_what_the_makefile_says() -> None:
    shown = CliRunner().invoke(app, ["deploy", "--stage", "homolog", "--dry-run"])
    assert shown.exit_code == 0
    names = [line.split()[0] for line in shown.stdout.splitlines()]
    assert names == ["preflight", "build", "validate", "migrate", "deploy", "smoke", "prune"]
    planned = steps("homolog", yes=True, given=["Rollout=AllAtOnce", "ApiRateLimit=9"])
    (deploy,) = [step.shown for step in planned if step.name == "deploy"]
    words = [*shlex.split(deploy), "--dry-run"]
    recipe = subprocess.run(
        words, cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert (
        "release.deploy homolog Rollout=AllAtOnce ApiRateLimit=9 -- --no-confirm-changeset"
        in recipe
    )
    assert "sam build" not in recipe, "the build is a step of its own"
    assert "preflight" not in recipe, "and so is the look at the account"


def test_a_parameter_that_the_template_does_not_have_ends_a_deployment_at_once() -> None:
    words = ["deploy", "--stage", "homolog", "--dry-run", "--json", "--parameter", "Roll=AllAtOnce"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["code"] == "UnknownParameter"


def test_an_unknown_stage_is_refused_before_anything_is_built() -> None:
    shown = CliRunner().invoke(app, ["deploy", "--stage", "prod"])
    assert shown.exit_code == 2
    assert "homolog or production" in shown.stderr
