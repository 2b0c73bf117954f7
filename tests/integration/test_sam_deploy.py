"""`sam build && sam deploy`, and then a whole job on what was built and deployed."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import environments
from devstack.paths import python_of
from tests.support.api import Api

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


def run(*command: str | Path, seconds: float = 200) -> str:
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": search, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_job_runs_on_what_sam_has_built_and_deployed(tmp_path: Path) -> None:
    environments.ensure(("sam",))
    architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    run(
        python_of("sam").with_name("sam"),
        "build",
        "--cached",
        *("--cache-dir", REPOSITORY / ".aws-sam" / "cache"),
        *("--build-dir", tmp_path / "build"),
        *("--parameter-overrides", f"LambdaArchitecture={architecture}"),
    )
    vsl, state = Path(sys.executable).with_name("vsl"), tmp_path / "state"
    try:
        told = run(
            vsl, "up", "--detach", "--json", "--speed", "0.05", "--state", state,
            "--build", tmp_path / "build", "--sam",
            "--parameter", f"LambdaArchitecture={architecture}",
        )  # fmt: skip
        stack = json.loads(told)
        api = Api(stack["apiUrl"])
        image = api.run("flux-schnell", {"prompt": "built by sam", "width": 512, "height": 512})
        assert image["status"] == "succeeded", image
        assert image["result"]["width"] == image["result"]["height"]
    finally:
        run(vsl, "down", "--state", state)
