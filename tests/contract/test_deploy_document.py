"""docs/deploy.md and .env.example: what they have a person set is what boto3 and SAM read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import environments
from devstack.paths import python_of
from tests.support.documents import document
from tests.support.template import REPOSITORY

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
REGION = "us-east-1"
# As `sam deploy` finds it when no --region is given, and as vsl does.
BOTO = "import boto3; print(boto3.client('cloudformation').meta.region_name)"
SAM = "import boto3; print(boto3.Session().region_name)"


def empty_home(folder: Path) -> dict[str, str]:
    """Without any configuration."""
    return {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def exports() -> str:
    """The lines that set something, but for the profile: an empty home has none."""
    lines = [
        line
        for block in document("docs/deploy.md").blocks
        for line in block.text.splitlines()
        if line.startswith("export AWS_")
    ]
    assert any("AWS_PROFILE=" in line for line in lines)
    return "\n".join(line for line in lines if "AWS_PROFILE=" not in line)


def shell(script: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euc", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("environment", "program"), [("dev", BOTO), ("sam", SAM)])
def test_the_documented_exports_choose_the_region(
    environment: str, program: str, tmp_path: Path
) -> None:
    python = Path(sys.executable)
    if environment == "sam":
        environments.ensure(("sam",))
        python = python_of("sam")
    script = f'{exports()}\n"{python}" -c "{program}"'
    assert shell(script, empty_home(tmp_path) | KEYS) == REGION


@pytest.mark.parametrize("program", [BOTO, SAM])
def test_the_example_of_an_environment_chooses_it_too(program: str, tmp_path: Path) -> None:
    """Loaded as it says itself, with nothing filled in but the keys."""
    text = (REPOSITORY / ".env.example").read_text()
    (loads,) = re.findall(r"then:\s+(set -a; \. \./\.env; set \+a)", text)
    (tmp_path / ".env").write_text(text)
    script = f'cd "{tmp_path}"\n{loads}\n"{sys.executable}" -c "{program}"'
    assert shell(script, empty_home(tmp_path) | KEYS) == REGION


def test_no_document_sets_what_is_not_read() -> None:
    """AWS_REGION is Lambda's word, and GitHub's variable."""
    text = (REPOSITORY / ".env.example").read_text()
    assert "AWS_REGION" not in text
    for name in ("docs/deploy.md", "docs/command-line.md"):
        for line in (REPOSITORY / name).read_text().splitlines():
            assert "AWS_REGION" not in line or "variables" in line, line


def test_every_parameter_that_a_choice_names_is_there() -> None:
    """Of the variables that `make deploy` takes, too."""
    source = (REPOSITORY / "cli/release/deploy.py").read_text()
    for name in re.findall(r'environment\.get\("(\w+)"\)', source):
        assert name in (REPOSITORY / ".env.example").read_text()
