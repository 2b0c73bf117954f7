"""A function's process on the local stack: AWS's runtime client and our own loop behave alike, and
so does a worker that was forked."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.runtime_api import ForkServer, Reply, RuntimeApi

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric has no wheel")

APP = """
import decimal
import os

class ProviderThrottled(Exception):
    pass

def handler(event, context):
    do = event.get("do")
    if do == "raise":
        raise ProviderThrottled(event.get("text", ""))
    if do == "chain":
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error
    if do == "object":
        return {"at": object()}
    if do == "decimal":
        return {"cost": decimal.Decimal("0.0030"), "count": decimal.Decimal(7)}
    if do == "context":
        assert 0 < context.get_remaining_time_in_millis() <= 9000
        return [context.aws_request_id, context.function_name, context.invoked_function_arn, os.getcwd()]
    return event
"""

EVENTS: list[Any] = [
    {"echo": 'it\'s "ü" 🎨 \n \u2028', "n": [1, 1.5, None, True]},
    {"do": "raise", "text": '{"code": "X", "message": "ü"}'},
    {"do": "raise"},
    {"do": "chain"},
    {"do": "object"},
    {"do": "decimal"},
    {"do": "context"},
]


def write(folder: Path, text: str, name: str = "app.py") -> None:
    """Within one second, which is as exactly as Python dates the source of its bytecode."""
    path = folder / name
    after = (path.stat().st_mtime_ns if path.exists() else 0) + 10**6
    path.write_text(text)
    os.utime(path, ns=(after, after))


def shape(reply: Reply) -> Any:
    """What Step Functions and people see; frames are compared by function and line, not by file."""
    if reply.kind == "response":
        return reply.body
    frames = [line.partition("\n")[0] for line in reply.body["stackTrace"]]
    own = [frame for frame in frames if "app.py" in frame]
    return reply.kind, {**reply.body, "stackTrace": own}


KINDS = ["client of AWS", "own loop", "forked"]


@contextmanager
def worker(folder: Path, kind: str) -> Iterator[RuntimeApi]:
    if kind == "forked":
        with ForkServer() as forks, RuntimeApi(folder, forks=forks) as api:
            yield api
    else:
        with RuntimeApi(folder, own_loop=kind == "own loop") as api:
            yield api


def replies(folder: Path, kind: str) -> list[Any]:
    with worker(folder, kind) as api:
        found = [shape(api.invoke(event)) for event in EVENTS]
        return [*found, shape(api.invoke(None, raw=b"{not json"))]


def without_wording(document: Any) -> Any:
    """The two JSON libraries word the same fault differently."""
    if isinstance(document, tuple) and document[1]["errorType"].startswith("Runtime."):
        kind, body = document
        return kind, {**body, "errorMessage": body["errorMessage"].partition(":")[0]}
    return document


def test_all_kinds_answer_like_the_client_of_aws(tmp_path: Path) -> None:
    write(tmp_path, APP)
    theirs = replies(tmp_path, "client of AWS")
    ours = replies(tmp_path, "own loop")
    assert list(map(without_wording, ours)) == list(map(without_wording, theirs))
    assert theirs[1][1]["errorType"] == "ProviderThrottled"
    assert theirs[0] == EVENTS[0]
    assert replies(tmp_path, "forked") == theirs


@pytest.mark.parametrize(
    ("source", "error_type"),
    [
        ("import nowhere_to_be_found", "Runtime.ImportModuleError"),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "Runtime.HandlerNotFound"),
        ("raise ValueError('at import')", "ValueError"),
        ("{}.nothing", "AttributeError"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_function_that_cannot_be_loaded(
    tmp_path: Path, source: str, error_type: str, kind: str
) -> None:
    write(tmp_path, source)
    with worker(tmp_path, kind) as api:
        reply = api.reply()
    assert (reply.kind, reply.error_type) == ("init", error_type)
    assert reply.body["errorType"] == error_type
    assert reply.body["errorMessage"]


@pytest.mark.parametrize("kind", KINDS)
def test_changed_code_is_used_by_the_next_invocation(tmp_path: Path, kind: str) -> None:
    write(tmp_path, "import helper\ncalls = []\ndef handler(e, c):\n calls.append(1)\n"
          " return helper.NAME + str(len(calls))")  # fmt: skip
    write(tmp_path, "NAME = 'one'", "helper.py")
    write(tmp_path, "{}", "models.json")
    with worker(tmp_path, kind) as api:
        assert api.invoke({}).body == "one1"
        assert api.invoke({}).body == "one2", "unchanged code keeps its process and its state"

        write(tmp_path, "NAME = 'two'", "helper.py")
        assert api.invoke({}).body == "two1"

        write(tmp_path, '{"models": []}', "models.json")
        assert api.invoke({}).body == "two1", "a new catalogue empties the caches"

        write(tmp_path, "def handler(:")
        broken = api.invoke({})
        assert (broken.kind, broken.body["errorType"]) == ("error", "Runtime.UserCodeSyntaxError")

        write(tmp_path, "def handler(e, c):\n return 'mended'")
        assert api.invoke({}).body == "mended"
