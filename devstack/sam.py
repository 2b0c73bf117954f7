"""`sam deploy` against the engine: the way to AWS, taken here, for a `sam build` output."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.engine import REGION
from devstack.paths import python_of
from devstack.processes import minimal_environment
from devstack.template import write_for_sam

_SECONDS = 180


class SamFailedError(RuntimeError):
    """`sam deploy` did not succeed; the message is what it said last."""


def sam_deploy(
    stack: str,
    build: Path,
    folder: Path,
    engine_url: str,
    parameters: Mapping[str, str],
    environment: Mapping[str, str],
) -> None:
    """Deploy `build` as `stack`. `folder` takes the template; `environment` goes into every function.

    Raises SamFailedError.
    """
    template = write_for_sam(build, folder, environment)
    command = [
        str(python_of("sam").with_name("sam")),
        "deploy",
        *("--template-file", str(template)),
        *("--stack-name", stack),
        *("--region", REGION),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in parameters.items() if value),
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(folder, engine_url),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise SamFailedError(f"sam deploy failed.\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def _environment(folder: Path, engine_url: str) -> dict[str, str]:
    """Neither the caller's credentials nor their configuration: nothing can reach a real account."""
    own: dict[str, Any] = {
        "AWS_ENDPOINT_URL": engine_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "HOME": str(folder),
    }
    return {**minimal_environment(folder), **own}
