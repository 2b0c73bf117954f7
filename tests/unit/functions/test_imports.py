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
from tests.support.template import REPOSITORY, resource

pytestmark = pytest.mark.thorough  # every function is imported in a process of its own

FUNCTIONS = sorted(path.parent.name for path in REPOSITORY.glob("functions/*/app.py"))
# Powertools imports `botocore` for its version alone; with `botocore.session` comes the weight.
AWS = {"boto3", "botocore.session"}
# As redis-py does of `cryptography`; with its bindings comes the weight.
CRYPTOGRAPHY = "cryptography.hazmat.bindings._rust"
WATCHED = {*HEAVY, *AWS, CRYPTOGRAPHY}
IAM_NAMES = {"stepfunctions": "states"}
# Functions that read the catalogue check it with pydantic; those that need Redis or PostgreSQL in every
# call make their clients while they start; those that answer from files alone need no client of AWS
# before their first event. All others load boto3 and nothing else of WATCHED.
WITHOUT_AWS = {"get_console", "get_openapi", "reject_request"}
CATALOGUE = {"get_model", "list_models", "validate_request"}
REDIS = {
    "await_slot",
    "check_rate_limit",
    "dispatch_queue",
    "get_status",
    "process_webhook",
    "wait_for_job",
}
STORES = {"delete_job", "finalize_job", "record_failure", "repair_execution"}
# Answer with addresses of files, and are ready for it when they have started.
SIGNING = {"get_status", "mcp", "openai_api", "replicate_api", "wait_for_job"}
MAY_LOAD = {
    **{name: set[str]() for name in WITHOUT_AWS},
    **{name: {"pydantic"} for name in CATALOGUE},
    "estimate_job": {*AWS, "pydantic"},
    "mcp": {*AWS, "pydantic", "redis"},
    "openai_api": {*AWS, "pydantic", "redis"},
    "replicate_api": {*AWS, "pydantic", "redis"},
    **{name: {*AWS, "redis"} for name in REDIS},
    **{name: {*AWS, "redis", "psycopg"} for name in STORES},
}

# Each in a process of its own, forked off one that has loaded nothing yet.
_CHILD = """
import importlib, json, os, sys
from contextlib import suppress
functions, heavy = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for function in functions:
    reader, writer = os.pipe()
    if os.fork() == 0:
        app = importlib.import_module(f"functions.{function}.app")
        found = [name for name in heavy if name in sys.modules]
        from vsl.adapters.aws import clients
        from vsl.domain.errors import VslError
        for name in (function, "tracking_store", "task_tokens"):
            factory = getattr(app, name, None)
            if getattr(factory, "__module__", "").startswith("vsl.runtime."):
                with suppress(VslError):
                    factory()
        made = [client.meta.service_model.service_name for client in clients._made]
        os.write(writer, json.dumps([found, sorted(made)]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        print(json.dumps([function, *json.loads(told.read())]))
    os.wait()
"""


@cache
def loaded(delivery: str = "presigned") -> dict[str, tuple[set[str], set[str]]]:
    """By function: the heavy modules it has loaded, and the services it has clients of, once its use
    case is made."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps(FUNCTIONS), json.dumps(sorted(WATCHED))],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'layers' / 'core'}",
            "STAGE": "test",
            "API_AUTH": "NONE",
            "DYNAMODB_TABLE": "jobs",
            "S3_BUCKET": "media",
            "SSM_PREFIX": "/vsl/test/",
            "MEDIA_DELIVERY": delivery,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    answers = map(json.loads, done.stdout.splitlines())
    return {name: (set(modules), set(services)) for name, modules, services in answers}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_no_more_than_it_may(function: str) -> None:
    assert loaded()[function][0] == MAY_LOAD.get(function, AWS)


def test_what_signs_for_a_distribution_is_loaded_where_there_is_one_alone() -> None:
    """A presigned address needs none of it."""
    here, there = loaded(), loaded("cloudfront")
    more = {name: there[name][0] - here[name][0] for name in FUNCTIONS}
    assert {name for name, found in more.items() if found} == SIGNING
    assert all(more[name] == {CRYPTOGRAPHY} for name in SIGNING)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_makes_clients_of_services_that_its_role_may_call(function: str) -> None:
    _, services = loaded()[function]
    allowed = {action.partition(":")[0] for action in actions(function)}
    assert {IAM_NAMES.get(service, service) for service in services} <= allowed
    assert bool(services) == (MAY_LOAD.get(function, AWS) >= AWS)


def actions(function: str) -> set[str]:
    """What the role of a function allows, by the policies of its own and the shared ones."""
    logical_id = "".join(word.capitalize() for word in function.split("_")) + "Function"
    found: set[str] = set()
    for listed in resource(logical_id)["Properties"]["Policies"]:
        document = listed.get("Fn::If", [None, listed])[1]
        if "Ref" in document:
            document = resource(document["Ref"])["Properties"]["PolicyDocument"]
        for statement in document["Statement"]:
            named = statement.get("Fn::If", [None, statement])[1]["Action"]
            found |= set(named if isinstance(named, list) else [named])
    return found


def test_every_pin_is_of_a_function() -> None:
    assert MAY_LOAD.keys() <= set(FUNCTIONS)
