"""What `vsl doctor` says in the end, and its exit code."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from cli.doctor import command
from cli.doctor.findings import Examined, Finding


def finding(**more: Any) -> Finding:
    return Finding(check="stuck job", subject="job-1", what="should have ended", **more)


CURABLE = finding(cure=lambda: "ended")


@pytest.mark.parametrize(
    ("examined", "code", "said"),
    [
        ([], 0, "All well"),
        ([Examined(CURABLE, done="ended")], 0, "1 findings, all put right"),
        ([Examined(CURABLE)], 1, "`vsl doctor --fix` puts right"),
        ([Examined(CURABLE, failed="no answer")], 1, "1 of 1 findings are open"),
        ([Examined(finding(advice="Look."))], 1, "1 of 1 findings are open"),
        ([Examined(CURABLE, done="ended"), Examined(finding())], 1, "1 of 2 findings are open"),
    ],
)
def test_what_is_open_decides(
    monkeypatch: pytest.MonkeyPatch, examined: list[Examined], code: int, said: str
) -> None:
    monkeypatch.setattr(command, "local_site", lambda _: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(command, "examine", lambda *_, **__: examined)
    written = io.StringIO()
    given = command.doctor_command(
        {"apiUrl": "http://127.0.0.1"},
        None,
        fix=False,
        bill=False,
        days=7,
        limit=100,
        as_json=False,
        console=Console(file=written, width=120),
    )
    assert given == code
    assert said in written.getvalue()
