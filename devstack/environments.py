"""The environments of the local stack: each is a locked set of packages below `.venvs/`.

The engine pins a botocore of its own, and functions must see only what their layers and Lambda
itself bring (a package missing from a layer shows here, not in production).
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from devstack.paths import ENVIRONMENTS, REPOSITORY, python_of

GROUPS = {
    "engine": ("engine",),
    "functions": ("layer-runtime", "layer-media", "lambda-runtime"),
    "lambda": ("lambda-runtime",),
    "sam": ("sam",),
}
"""Environment → dependency groups. `lambda` is what AWS brings: built layers run on top of it."""

DEFAULT = ("engine", "functions")


class EnvironmentFailedError(RuntimeError):
    """An environment could not be created; the message holds what uv said."""


def ensure(names: tuple[str, ...], progress: Callable[[str], None] = lambda _: None) -> None:
    """Create the environments that are missing or were made from another lock file."""
    stamp = lock_stamp()
    for name in names:
        if not is_current(name, stamp):
            progress(f"installing the environment {name!r} (once per lock file)")
            _sync(name, stamp)


def lock_stamp() -> str:
    return hashlib.sha256((REPOSITORY / "uv.lock").read_bytes()).hexdigest()


def is_current(name: str, stamp: str) -> bool:
    """By our own stamp, or because `make stack` has made it later than the lock file was changed."""
    if not python_of(name).exists():
        return False
    with contextlib.suppress(FileNotFoundError):
        return _stamp_file(name).read_text() == stamp
    with contextlib.suppress(FileNotFoundError):
        sources = [REPOSITORY / source for source in ("uv.lock", "pyproject.toml")]
        mark = ENVIRONMENTS / ".stack" if name in DEFAULT else ENVIRONMENTS / name / ".ready"
        return all(mark.stat().st_mtime > source.stat().st_mtime for source in sources)
    return False


def _stamp_file(name: str) -> Path:
    return ENVIRONMENTS / name / "lock.sha256"


def _sync(name: str, stamp: str) -> None:
    command = [uv(), "sync", "--frozen", "--no-install-project", "--compile-bytecode"]
    for group in GROUPS[name]:
        command += ["--only-group", group]
    environment = {
        **os.environ,
        "UV_PROJECT_ENVIRONMENT": str(ENVIRONMENTS / name),
        "UV_PYTHON": sys.executable,
    }
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode != 0:
        raise EnvironmentFailedError(f"uv could not create .venvs/{name}:\n{done.stderr.strip()}")
    _stamp_file(name).write_text(stamp)


def uv() -> str:
    """`make setup` brings uv along; a person may have it installed."""
    ours = ENVIRONMENTS / "uv" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        raise EnvironmentFailedError("uv is missing: run `make setup` once.")
    return found
