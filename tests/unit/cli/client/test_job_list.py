"""The list of jobs: ids in full at every width, what was asked for beside or below them."""

from typing import Any

import pytest
from rich.console import Console

from cli.client.job_list import job_table

JOB = "01a20545-a2d4-7888-ad85-53c697fc3121"


def job(**more: Any) -> dict[str, Any]:
    return {
        "jobId": JOB,
        "modelId": "flux-schnell",
        "status": "succeeded",
        "createdAt": "2026-03-01T12:00:00Z",
        "completedAt": "2026-03-01T12:00:02Z",
        "estimatedCost": "0.003",
        "actualCost": "0.003",
        "errorCode": None,
        "result": None,
        **more,
    }


def drawn(width: int, **more: Any) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(job_table([job(**more)], width))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_an_id_is_never_cut(width: int) -> None:
    lines = drawn(width, prompt="a lighthouse in the fog, " * 20)
    assert sum(JOB in line for line in lines) == 1
    assert all(len(line) <= width for line in lines)
    assert "flux-schnell: a lighthouse" in "\n".join(lines)
    assert "…" in "\n".join(lines), "what does not fit is seen to go on"


def test_a_failed_job_tells_its_reason_and_a_prompt_cannot_steer_the_terminal() -> None:
    assert any(
        "flux-schnell: ContentFlagged" in line for line in drawn(100, errorCode="ContentFlagged")
    )
    assert "\x1b" not in "".join(drawn(100, prompt="red\x1b[31m [bold]text[/bold]"))
    assert "[bold]text" in "".join(drawn(160, prompt="[bold]text[/bold]"))
