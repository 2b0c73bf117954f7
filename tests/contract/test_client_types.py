"""The committed types of the clients are what the API document says today, and they compile."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.template import REPOSITORY
from tests.support.typescript import TYPESCRIPT, needs_typescript

PYTHON = REPOSITORY / "clients" / "python"
AGAIN = "run `make clients`"


def test_python(tmp_path: Path) -> None:
    made = tmp_path / "types.py"
    generator = Path(sys.executable).parent / "datamodel-codegen"
    subprocess.run([generator, "--output", made], cwd=PYTHON, check=True)
    assert (PYTHON / "vsl_client" / "types.py").read_text() == made.read_text(), AGAIN


@needs_typescript
def test_typescript(tmp_path: Path) -> None:
    made = tmp_path / "types.ts"
    document = REPOSITORY / "functions" / "get_openapi" / "openapi.json"
    subprocess.run(["node", "generate.mjs", document, made], cwd=TYPESCRIPT, check=True)
    assert (TYPESCRIPT / "src" / "types.ts").read_text() == made.read_text(), AGAIN


@pytest.mark.thorough
def test_the_python_client_is_strictly_typed() -> None:
    """By itself, as its users check it."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "vsl_client"],
        cwd=PYTHON,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.thorough
@needs_typescript
def test_the_typescript_client_is_strictly_typed() -> None:
    checked = subprocess.run(
        [TYPESCRIPT / "node_modules" / ".bin" / "tsc", "--noEmit"],
        cwd=TYPESCRIPT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
