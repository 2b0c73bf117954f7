"""What each function loads before its first call: a heavy module more is a decision.

A cold start pays for every import (docs/performance.md). What a function needs on a bad day alone
is imported when that day comes.
"""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from benchmarks.cold_start import HEAVY
from tests.support.template import REPOSITORY

FUNCTIONS = sorted(path.parent.name for path in REPOSITORY.glob("functions/*/app.py"))
# Powertools imports `botocore` for its version alone; with `botocore.session` comes the weight.
WATCHED = {*HEAVY, "botocore.session"}
# Who reads the catalogue checks it with pydantic. Nobody else loads anything WATCHED.
MAY_LOAD = {
    name: {"pydantic"}
    for name in (
        "estimate_job",
        "finalize_job",
        "get_model",
        "list_models",
        "record_failure",
        "repair_execution",
        "submit_prediction",
        "validate_request",
    )
}

# Each in a process of its own, forked off one that has loaded nothing yet.
_CHILD = """
import importlib, json, os, sys
functions, heavy = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for function in functions:
    reader, writer = os.pipe()
    if os.fork() == 0:
        app = importlib.import_module(f"functions.{function}.app")
        for factory in ("live_jobs", "callbacks", "status_cache", "webhook_memory", "rate_limits"):
            getattr(app, factory, lambda: None)()
        found = [name for name in heavy if name in sys.modules]
        os.write(writer, json.dumps(found).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        print(json.dumps([function, json.loads(told.read() or "null")]))
    os.wait()
"""


@cache
def loaded() -> dict[str, set[str]]:
    """By function: the heavy modules it has loaded once its stores stand ready."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps(FUNCTIONS), json.dumps(sorted(WATCHED))],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'layers' / 'core'}",
            "STAGE": "test",
            "API_AUTH": "NONE",
            "DYNAMODB_TABLE": "jobs",
            "SSM_PREFIX": "/vsl/test/",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {name: set(found) for name, found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_no_more_than_it_may(function: str) -> None:
    assert loaded()[function] == MAY_LOAD.get(function, set())


def test_every_pin_is_of_a_function() -> None:
    assert MAY_LOAD.keys() <= set(FUNCTIONS)
