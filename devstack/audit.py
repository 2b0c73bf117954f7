"""`make check`: does the lock file hold a package with a published vulnerability?

Asks the open advisory database (https://osv.dev) through pip-audit. Where that cannot be reached, it
says so and still checks what needs no network: every package comes from the registry, with hashes.
`VSL_AUDIT=required` makes an unreachable database a failure.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from devstack.environments import uv
from devstack.paths import REPOSITORY

ADVISORIES = "https://api.osv.dev/v1"
REACH_SECONDS = 3.0
AUDIT_SECONDS = 120
EXPORTED = ("layer-runtime", "layer-media", "lambda-runtime", "devstack", "dev")

type Reach = Callable[[], str | None]
type Audit = Callable[[], int]


def main(
    environment: Mapping[str, str] = os.environ,
    *,
    lock: Path = REPOSITORY / "uv.lock",
    reach: Reach | None = None,
    audit: Audit | None = None,
) -> int:
    """The exit code. `reach` and `audit` are for tests."""
    faults = unverifiable(tomllib.loads(lock.read_text()))
    for fault in faults:
        print(f"uv.lock: {fault}", file=sys.stderr)
    if faults:
        return 1
    reason = (reach or unreachable)()
    if reason is None:
        return (audit or audited)()
    print(
        f"NOT audited for known vulnerabilities: {ADVISORIES} cannot be reached ({reason}). "
        "Checked without it: every locked package has a registry and hashes.",
        file=sys.stderr,
    )
    return 1 if environment.get("VSL_AUDIT") == "required" else 0


def unverifiable(lock: Mapping[str, Any]) -> list[str]:
    """Packages whose content the lock file does not pin: a foreign source, a file without a hash."""
    faults: list[str] = []
    for package in lock["package"]:
        name, source = package["name"], package["source"]
        if source == {"editable": "."}:
            continue
        if urlsplit(str(source.get("registry", ""))).scheme != "https":
            faults.append(f"{name} does not come from a registry over https")
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        if not files or any(not file.get("hash", "").startswith("sha256:") for file in files):
            faults.append(f"{name} has a file without a SHA-256")
    return faults


def unreachable(transport: httpx.BaseTransport | None = None) -> str | None:
    """Why the advisory database cannot be asked; None if it can."""
    try:
        with httpx.Client(transport=transport, timeout=REACH_SECONDS) as client:
            answer = client.post(f"{ADVISORIES}/query", json={"package": {"purl": "pkg:pypi/idna"}})
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if answer.is_success else f"HTTP {answer.status_code}"


def audited() -> int:
    """pip-audit's exit code for everything that ships or serves its making."""
    groups = [word for group in EXPORTED for word in ("--group", group)]
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        export = [uv(), "export", "--quiet", "--frozen", "--no-emit-project", "--no-default-groups"]
        subprocess.run(
            [*export, *groups, "--output-file", str(requirements)],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            timeout=AUDIT_SECONDS,
            check=True,
        )
        command = [str(REPOSITORY / ".venvs/security/bin/pip-audit"), "--progress-spinner", "off"]
        command += ["--vulnerability-service", "osv", "--disable-pip", "--no-deps"]
        return subprocess.run(
            [*command, "--requirement", str(requirements)], timeout=AUDIT_SECONDS, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
