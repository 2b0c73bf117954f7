"""The stand-in as a process of its own, and what it does while media are being made."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devstack.replicate.control import Control
from tests.support import web
from tests.support.stand_in import SCHNELL

ROOT = Path(__file__).parents[2]


@contextmanager
def process(
    *options: str, temporary: Path | None = None
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """`python -m devstack.replicate` and the line it prints."""
    command = [sys.executable, "-m", "devstack.replicate", *options]
    environment = {**os.environ, **({} if temporary is None else {"TMPDIR": str(temporary)})}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    ) as child:
        try:
            assert child.stdout is not None
            yield child, json.loads(child.stdout.readline())
        finally:
            child.kill()


def test_it_says_where_it_is_and_goes_when_told(tmp_path: Path) -> None:
    with process("--port", "0", "--duration", "0.01", "--directory", str(tmp_path)) as (
        child,
        ready,
    ):
        assert set(ready) == {"url", "apiUrl", "controlUrl", "token", "webhookSecret", "pid"}
        assert ready["pid"] == child.pid
        assert ready["token"].startswith("r8_")
        assert len(ready["token"]) == 40
        assert ready["webhookSecret"].startswith("whsec_")

        answer = web.post(
            f"{ready['apiUrl']}/models/{SCHNELL}/predictions",
            headers={"authorization": f"Bearer {ready['token']}", "prefer": "wait"},
            json={"input": {"prompt": "a lake"}},
        )
        assert answer.json()["output"][0].startswith(ready["url"])
        assert len(list(tmp_path.iterdir())) == 1

        child.send_signal(signal.SIGTERM)
        _out, errors = child.communicate()

    assert child.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_it_answers_while_it_makes_a_film() -> None:
    with (
        process("--json", "--duration", "0", "--token", "r8_x") as (_child, ready),
        Control(ready["url"]) as control,
    ):
        web.post(
            f"{ready['apiUrl']}/models/bytedance/seedance-1-lite/predictions",
            headers={"authorization": "Bearer r8_x"},
            json={"input": {"prompt": "a ship on the sea", "duration": 2}},
        ).raise_for_status()
        answered = 0
        while control.health().running:
            answered += 1
        [prediction] = control.predictions()

    assert prediction.status == "succeeded"
    assert answered >= 3, "one that cannot answer meanwhile answers once, when the film is made"


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    with process("--speed", "0.02", temporary=tmp_path) as (child, ready):
        assert list(tmp_path.glob("replicate-outputs-*"))
        with Control(ready["url"]) as control:
            assert control.health().status == "ok"
        child.send_signal(signal.SIGINT)
        _out, errors = child.communicate()

    assert errors == f"Replicate stand-in at {ready['url']}; Ctrl-C stops it.\n"
    assert list(tmp_path.iterdir()) == []
