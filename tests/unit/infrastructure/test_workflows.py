"""The workflows run what a contributor runs, with actions that cannot change under us."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.template import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.search(r"# v\d+\.\d+\.\d+$", comment), f"{action} says no version"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_no_more_than_it_must(path: Path) -> None:
    granted = yaml.safe_load(path.read_text())["permissions"]
    assert granted.pop("contents") == "read"
    assert granted in ({}, {"id-token": "write"})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_deployed_or_merged_without_the_two_commands(path: Path) -> None:
    commands = [step["run"] for step in steps(path) if "run" in step]
    assert commands[:2] == ["make check", "make test"]
    ci = (REPOSITORY / ".ci/run").read_text()
    assert re.findall(r"^make .*$", ci, re.MULTILINE) == commands[:2]


def test_no_key_is_stored() -> None:
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text()
