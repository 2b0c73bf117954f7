"""The published API document against the running stack: schemathesis, with every check it has.

`make fuzz SEED=… EXAMPLES=…` runs it longer; `make test` with one seed and a few examples.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from devstack.publish import PUBLISHED
from tests.support.fuzzing import SECRET_VARIABLE, USER
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

pytestmark = pytest.mark.e2e

SEED = os.environ.get("FUZZ_SEED", "1")
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "2")
# So many jobs suffice to see accepted ones; what comes after them is refused by the user's limit.
JOBS = 25


@pytest.fixture
def limited(stack: Stack) -> None:
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "INSERT INTO user_limits (user_id, jobs_per_hour, concurrent_jobs) VALUES (%s, %s, 5)",
            [USER, JOBS],
        )


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("limited")
def test_every_answer_is_as_the_document_says(stack: Stack) -> None:
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "--no-color",
        "--config-file",
        "tests/e2e/schemathesis.toml",
        "run",
        f"{stack.api.url}/openapi.json",
        *("--seed", SEED, "--max-examples", EXAMPLES, "--workers", "2"),
    ]
    environment = os.environ | {
        SECRET_VARIABLE: stack.webhook_secret,
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'layers/core'}",
    }
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    described = json.loads(PUBLISHED.read_text())["paths"]
    routes = [verb for path, item in described.items() for verb in item if path != "/openapi.json"]
    assert f"Tested: {len(routes)}" in done.stdout, "all but the document's own"
    passed = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) == int(passed[2]) > 400
    with psycopg.connect(stack.database_url) as connection:
        made = connection.execute("SELECT count(*) FROM jobs WHERE user_id = %s", [USER]).fetchone()
    assert made is not None
    assert 0 < made[0] <= JOBS
