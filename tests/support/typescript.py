"""What the tests of the TypeScript client need of the machine."""

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.support.template import REPOSITORY

TYPESCRIPT = REPOSITORY / "clients" / "typescript"

needs_typescript = pytest.mark.skipif(
    shutil.which("node") is None or not (TYPESCRIPT / "node_modules" / ".ready").exists(),
    reason="the TypeScript client needs Node.js 20.19 and npm; `make typescript` installs the rest",
)


@cache
def built_scenario() -> Path:
    """test/scenario.ts, compiled outside the repository: several test processes do so at once."""
    folder = Path(tempfile.mkdtemp(prefix="vsl-typescript-"))
    atexit.register(shutil.rmtree, folder)
    compiler = TYPESCRIPT / "node_modules" / ".bin" / "tsc"
    subprocess.run([compiler, "--outDir", folder], cwd=TYPESCRIPT, check=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    return folder / "test" / "scenario.js"
