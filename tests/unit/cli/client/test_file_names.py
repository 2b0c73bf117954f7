"""What the downloaded files of a job are called."""

from typing import Any

import pytest

from cli.client.download import file_names


def status(*paths: str) -> dict[str, Any]:
    outputs = [{"s3Path": path, "contentType": "application/octet-stream"} for path in paths]
    return {"modelId": "flux", "jobId": "019ca945-0a00-7e8c-9902-207afaeb7120", "outputs": outputs}


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("media/u/image/2026/03/01/j/0-out-0.webp", ".webp"),
        ("media/u/image/2026/03/01/j/0-drawing.svg", ".svg"),
        ("media/u/audio/2026/03/01/j/0-song.mp4", ".mp4"),
        ("media/u/image/2026/03/01/j/0-output", ".bin"),
        ("media/u.v/image/2026/03/01/j/0-output", ".bin"),
        ("media/u/image/2026/03/01/j/0-a.b\\..\\c", ".bin"),
    ],
)
def test_a_file_keeps_the_suffix_it_is_stored_under(path: str, suffix: str) -> None:
    assert file_names(status(path)) == [f"flux-019ca945-0a00{suffix}"]


def test_several_are_numbered() -> None:
    assert file_names(status("media/0-a.png", "media/2-b.zip")) == [
        "flux-019ca945-0a00-0.png",
        "flux-019ca945-0a00-1.zip",
    ]
