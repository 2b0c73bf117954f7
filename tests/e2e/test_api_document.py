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

from devstack.paths import python_of
from devstack.publish import PUBLISHED
from tests.support.auth_gateways import auth_gateway, deployed_environment, served
from tests.support.function_host import Host
from tests.support.fuzzing import CALLER_VARIABLE, SECRET_VARIABLE, USER
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

pytestmark = pytest.mark.e2e

SEED = os.environ.get("FUZZ_SEED", "1")
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "2")
CONFIG = REPOSITORY / "tests/e2e/schemathesis.toml"
KEYS_EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "1")
# So many jobs suffice to see accepted ones; what comes after them is refused by the user's limit.
JOBS = 25


@pytest.fixture
def limited(stack: Stack) -> None:
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "INSERT INTO user_limits (user_id, jobs_per_hour, concurrent_jobs) VALUES (%s, %s, 5)"
            " ON CONFLICT DO NOTHING",
            [USER, JOBS],
        )


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("limited")
def test_every_answer_is_as_the_document_says(stack: Stack) -> None:
    generated = every_route_keeps_to_the_document(stack, stack.api.url, EXAMPLES)
    assert generated > 400
    with psycopg.connect(stack.database_url) as connection:
        made = connection.execute("SELECT count(*) FROM jobs WHERE user_id = %s", [USER]).fetchone()
    assert made is not None
    assert 0 < made[0] <= JOBS


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("limited")
def test_and_so_it_is_behind_keys(stack: Stack, tmp_path: Path) -> None:
    """By a user's own key, which opens what is the user's; and by none at all, which opens nothing."""
    environment, folders = deployed_environment(stack)
    log, identity = tmp_path / "functions.log", tmp_path / "identity.json"
    with Host(python_of("functions"), {**environment, "API_AUTH": "KEYS"}, log) as host:
        gateway = auth_gateway(stack, "KEYS", host, folders, identity)
        with served(gateway, tmp_path) as url:
            config = tmp_path / "schemathesis.toml"
            bearer = f'bearer = "{gateway.of(USER).minted}"'
            config.write_text(f"{CONFIG.read_text()}\n[auth.openapi.Caller]\n{bearer}\n")
            every_route_keeps_to_the_document(stack, url, KEYS_EXAMPLES, config, caller=USER)


def every_route_keeps_to_the_document(
    stack: Stack, url: str, examples: str, config: Path = CONFIG, caller: str = ""
) -> int:
    """How many requests there were."""
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "--no-color",
        "--config-file",
        str(config),
        "run",
        f"{url}/openapi.json",
        *("--url", url, "--seed", SEED, "--max-examples", examples, "--workers", "2"),
    ]
    environment = os.environ | {
        SECRET_VARIABLE: stack.webhook_secret,
        CALLER_VARIABLE: caller,
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
    assert int(passed[1]) == int(passed[2])
    return int(passed[1])
