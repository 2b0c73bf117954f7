"""The workflows run what a contributor runs, with actions that cannot change under us."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.template import REPOSITORY
from vsl import VERSION

RELEASE = REPOSITORY / ".github/workflows/release.yml"
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
    document = yaml.safe_load(path.read_text())
    granted = document["permissions"]
    assert granted.pop("contents") == "read"
    assert granted in ({}, {"id-token": "write"})
    more = {
        name: job["permissions"] for name, job in document["jobs"].items() if "permissions" in job
    }
    assert more == ({"publish": {"contents": "write"}} if path.stem == "release" else {})


def test_the_version_is_one_and_the_changelog_dates_it() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    dated = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)
    assert project["version"] == VERSION == dated[0]


def test_the_text_of_a_release_is_its_part_of_the_changelog(tmp_path: Path) -> None:
    (step,) = (each for each in steps(RELEASE) if "CHANGELOG.md" in each.get("run", ""))
    (tmp_path / "pyproject.toml").write_text('version = "0.2.0"\n')
    sections = ["# Changelog", "## [Unreleased]", "- next"]
    sections += ["## [0.2.0] - 2027-01-02", "- this", "## [0.1.0] - 2026-11-29", "- that\n"]
    (tmp_path / "CHANGELOG.md").write_text("\n\n".join(sections))

    def notes(tag: str) -> int:
        command = ["bash", "-e", "-c", step["run"]]
        environment = {"TAG": tag, "PATH": os.environ["PATH"]}
        return subprocess.run(command, cwd=tmp_path, env=environment, check=False).returncode

    assert notes("v0.2.0") == 0
    assert (tmp_path / "notes.md").read_text().split() == ["-", "this"]
    assert notes("v0.1.0") != 0, "the tree is of another version"
    assert notes("v0.3.0") != 0, "the changelog does not date it"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_deployed_or_merged_without_every_test(path: Path) -> None:
    commands = [step["run"] for step in steps(path) if "run" in step]
    assert commands[:3] == ["make check", "make test", "make test-rest"]
    ci = (REPOSITORY / ".ci/run").read_text()
    assert re.findall(r"^make .*$", ci, re.MULTILINE) == commands[:3]


def test_no_key_is_stored() -> None:
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text()
