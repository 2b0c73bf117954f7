"""Clients of other APIs as their users have them: run in an environment of their own, nothing patched."""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.support.template import REPOSITORY

_READY = REPOSITORY / ".venvs" / "stock" / ".ready"
_PYTHON = REPOSITORY / ".venvs" / "stock" / "bin" / "python"
_SCRIPTS = REPOSITORY / "tests" / "stock"

needs_stock_python = pytest.mark.skipif(
    not _READY.exists(), reason="`make .venvs/stock/.ready` installs the clients of other APIs"
)
needs_stock_javascript = pytest.mark.skipif(
    shutil.which("node") is None or not (_SCRIPTS / "javascript" / "node_modules").exists(),
    reason="clients from npm need Node.js 20.19 and npm; `make .venvs/stock/.ready` installs them",
)


def python_client(script: str, *words: str, **environment: str) -> Any:
    """What tests/stock/python/SCRIPT.py printed. Raises AssertionError if it failed."""
    # LiteLLM would ask GitHub for its table of prices first.
    calm = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "OTEL_SDK_DISABLED": "true"}
    command = [str(_PYTHON), str(_SCRIPTS / "python" / f"{script}.py"), *words]
    return _printed(command, calm | environment)


def javascript_client(script: str, *words: str) -> Any:
    return _printed(["node", str(_SCRIPTS / "javascript" / f"{script}.mjs"), *words], {})


def _printed(command: list[str], environment: dict[str, str]) -> Any:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
