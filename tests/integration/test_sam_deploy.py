"""`make build && sam deploy`, and then a whole job on what was built, finished and deployed."""

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

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 13), reason="a build is for Lambda's Python 3.13"
    ),
]


def run(*command: str | Path) -> str:
    # SAM asks the interpreter behind ours for pip, as `make build` has it do.
    behind = Path(sys._base_executable).parent  # type: ignore[attr-defined]
    search = os.pathsep.join([str(Path(sys.executable).parent), str(behind), os.environ["PATH"]])
    done = subprocess.run(
        [str(part) for part in command],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": search, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
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
    run(sys.executable, "-m", "cli.release.finish", tmp_path / "build" / "template.yaml")
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
