"""What the tests of the TypeScript client need of the machine."""

import shutil

import pytest

from tests.support.template import REPOSITORY

TYPESCRIPT = REPOSITORY / "clients" / "typescript"

needs_typescript = pytest.mark.skipif(
    shutil.which("node") is None or not (TYPESCRIPT / "node_modules" / ".ready").exists(),
    reason="the TypeScript client needs Node.js 20.19 and npm; `make typescript` installs the rest",
)
