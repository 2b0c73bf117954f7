"""The commands in the documents, pasted into a shell beside a running stack, do what is printed."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.api import unique
from tests.support.documents import Block, Document, document, rows
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

pytestmark = pytest.mark.e2e

SECONDS = 110
# What differs from run to run is compared by its type.
VOLATILE = {
    "originalUrl", "thumbnailUrl", "sha256", "fileSize", "replicateId",
    "createdAt", "updatedAt", "completedAt", "retryAfter", "start", "end", "at", "seconds",
    "wallTime", "bytes", "logs",
    "since", "until", "hour", "pending", "processing", "storing", "succeeded", "failed", "canceled",
    "running", "successRate", "p50", "p95", "p99", "total", "estimated", "spend", "predictions",
    "cost",
    "durationMs", "deliveryId", "secret", "entry",
    "estimatedStart", "estimatedStartEarliest", "estimatedStartLatest", "requests", "refused",
    "expiresAt", "policy", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature",
}  # fmt: skip
# Lists of which a document shows a part.
SHORTENED = {"models", "segments", "events", "byModel", "byHour"}
# What the other tests' jobs decide.
CHANCE = {"oldestWaiting", "failures", "wokenBy"}
MASKS = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}": "<job>",
    r"\d{4}/\d{2}/\d{2}": "<day>",
    r"\d{4}-\d{2}-\d{2}(T00:00:00.000Z)?": "<day>",
    r"127\.0\.0\.1:\d+": "<here>",
    r"\b\d+ (minutes|seconds)": "<while>",
}


def run(described: Document, stack: Stack, folder: Path, **environment: str) -> list[str]:
    """What each shell block printed; all run in one shell, in a folder with a `.venv` of its own.

    There `vsl` means the running stack, and `make` brings up what is up already.
    """
    scripts = {
        ".venv/bin/vsl": f'exec "{_tool("vsl")}" "$@" --state "{stack.document["state"]}"',
        "bin/vsl": 'exec .venv/bin/vsl "$@"',
        ".venv/bin/python": f'exec "{sys.executable}" "$@"',
        "bin/make": '[ "$1" = down ] || .venv/bin/vsl "$1" --detach',
    }
    for name, line in scripts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{line}\n")
        path.chmod(0o755)
    blocks = [block for block in described.blocks if block.language == "sh"]
    parts = ["set -eu -o pipefail"]
    for number, block in enumerate(blocks):
        parts.append(f"{{\n{block.text}\n}} > out-{number} 2>&1")
    done = subprocess.run(
        ["bash", "-c", "\n".join(parts)],
        cwd=folder,
        env={**os.environ, **environment, "PATH": f"{folder}/bin:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    printed = [path.read_text() for path in sorted(folder.glob("out-*"), key=_number)]
    assert done.returncode == 0, f"{blocks[len(printed) - 1].text}\n{printed[-1]}\n{done.stderr}"
    assert len(printed) == len(blocks)
    return printed


def answers(described: Document, printed: list[str]) -> list[tuple[Block, str]]:
    """Each printed answer of the document with what its command really printed."""
    found = []
    number = -1
    for before, block in zip([None, *described.blocks], described.blocks, strict=False):
        number += block.language == "sh"
        if block.language in {"http", "text"}:
            assert before is not None
            assert before.language == "sh", "an answer follows its command"
            found.append((block, printed[number]))
    return found


def of_a_user(described: Document) -> Document:
    """The document as one whose jobs and money no other test of the same stack shares would run it."""
    user = unique("reader").replace(" ", "-")
    places = r"""(?<=["'/:=])me(?=["'/&\s])"""
    return replace(described, text=re.sub(places, user, described.text))


def test_the_api_document_tells_the_truth(stack: Stack, tmp_path: Path) -> None:
    described = of_a_user(document("docs/api.md"))
    compared = answers(described, run(described, stack, tmp_path))
    for block, output in compared:
        assert block.language == "http"
        check_http(block.text, output)
    assert len(compared) == described.text.count("curl -si")
    with Image.open(tmp_path / "lighthouse.webp") as image:
        assert image.size == (1344, 768)


def test_the_request_of_the_readme_is_answered_as_printed(stack: Stack, tmp_path: Path) -> None:
    described = of_a_user(document("README.md").section("A request and its answer"))
    printed = run(described, stack, tmp_path, API=stack.document["apiUrl"])
    ((block, output),) = answers(described, printed)
    check_http(block.text, output)


def test_the_tour_of_the_readme_can_be_taken(stack: Stack, tmp_path: Path) -> None:
    """And it leaves no file behind: neither where it was taken nor in the client's notes."""
    tour, notes = tmp_path / "tour", tmp_path / "notes"
    tour.mkdir()
    user = f"tour-{tmp_path.name[:60]}"
    described = document("README.md").section("Five minutes")
    printed = run(described, stack, tour, XDG_STATE_HOME=str(notes), VSL_USER=user)
    everything = "\n".join(printed)
    for part in ("musicgen", "webp", "finalize", "money", "flux-schnell"):
        assert part in everything, part
    left = {path.name for path in tour.iterdir()} - {f"out-{n}" for n in range(len(printed))}
    assert left == {".venv", "bin"}
    assert [path for path in notes.rglob("*") if path.is_file()] == []


def test_the_command_line_prints_what_its_document_says(stack: Stack, tmp_path: Path) -> None:
    described = document("docs/command-line.md")
    home = {"XDG_STATE_HOME": str(tmp_path), "VSL_USER": f"doc-{tmp_path.name[:60]}"}
    for block, output in answers(described, run(described, stack, tmp_path, **home)):
        assert essence(output) == essence(block.text)
    (fox,), (again,) = (list((tmp_path / folder).iterdir()) for folder in ("fox", "again"))
    assert fox.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("name", ["docs/deploy.md", "database/README.md"])
def test_the_migration_commands_work(stack: Stack, tmp_path: Path, name: str) -> None:
    lines = [
        line.split("  #")[0].replace(".venv/bin/python", "python").strip()
        for block in document(name).blocks
        for line in block.text.splitlines()
        if "-m database.migrate" in line
    ]
    assert lines
    for line in lines:
        command = re.sub(r"^(\w+=\S+ )*python", f"'{sys.executable}'", line)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=REPOSITORY,
            env={**os.environ, "DATABASE_URL": stack.database_url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_picture_of_the_demo_is_what_it_prints_today(tmp_path: Path) -> None:
    script = REPOSITORY / "docs" / "pictures" / "make.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    committed, new = (screen(folder / "demo.svg") for folder in (script.parent, tmp_path))
    assert committed == new, "run docs/pictures/make.py and commit what it writes"
    for name in ("image", "video", "audio"):
        pictures = [folder / f"{name}.webp" for folder in (script.parent, tmp_path)]
        with Image.open(pictures[0]) as old, Image.open(pictures[1]) as made:
            assert old.size == made.size
            frames = [getattr(picture, "n_frames", 1) for picture in (old, made)]
            assert frames[0] == pytest.approx(frames[1], abs=1), "equal frames are merged"


def test_the_terminal_in_the_readme_is_what_the_command_line_prints(
    stack: Stack, tmp_path: Path
) -> None:
    script = REPOSITORY / "docs" / "pictures" / "terminal.py"
    done = subprocess.run(
        [sys.executable, str(script), "--state", str(stack.document["state"]), str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    committed, new = (
        # How wide a column is depends on the numbers in it.
        [re.sub(r"\s", "", line) for line in essence("\n".join(rows(folder / "terminal.svg")))]
        for folder in (script.parent, tmp_path)
    )
    assert "$vsltracelast" in committed
    assert committed == new, "run docs/pictures/terminal.py and commit what it writes"


def essence(text: str) -> list[str]:
    """What is printed without ids, numbers, bars, places, and without the progress of jobs."""
    for pattern, mask in (
        (r" --state [^\s`]+", ""),
        (r"\.venv/bin/vsl", "vsl"),
        (r"http://\S+", "<address>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}(-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})?", "<job>"),
        (r"prediction [0-9a-z]+", "prediction <id>"),
        (r"Migrating \S+", "Migrating <database>"),
        (r"doc-[\w-]+", "<user>"),
        (r"\d[\d.,]*", "0"),
        (r"0 min 0 s|0 s|0 KiB|0 bytes", "0"),
        (r"still (pending|processing)", "still <status>"),
        (r"[\s─━█▏▎▍▌▋▊▉]+", " "),
    ):
        text = "\n".join(re.sub(pattern, mask, line) for line in text.splitlines())
    states = r"^ ?(pending|processing|storing|succeeded|canceled) 0$"
    text = re.sub(r"(applied 0_\w+\n)+", "applied <every migration>\n", text)
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not re.search(states, line)]


def check_http(documented: str, real: str) -> None:
    head, _, body = documented.partition("\n\n")
    status, *headers = head.splitlines()
    real_head, _, real_body = real.replace("\r\n", "\n").partition("\n\n")
    real_status, *real_headers = real_head.splitlines()
    assert real_status == status, real
    given = {name.lower(): value for name, value in map(_header, real_headers)}
    for name, value in map(_header, headers):
        assert given[name.lower()] == value, name
    if not body.strip():
        assert not real_body.strip()
        return
    expected, found = masked(json.loads(documented[len(head) :])), masked(json.loads(real_body))
    compare(expected, found)


def compare(expected: dict[str, Any], found: dict[str, Any]) -> None:
    for part in SHORTENED & expected.keys():
        some, whole = expected.pop(part), found.pop(part)
        assert some, "show one at least"
        assert all(one in whole for one in some)
    for part in [name for name, value in expected.items() if isinstance(value, dict)]:
        compare(expected.pop(part), found.pop(part))
    assert found == expected


def masked(value: Any, name: str = "") -> Any:
    if name in CHANCE and not isinstance(value, str):
        return "<anything>"
    if isinstance(value, dict):
        return {key: masked(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each) for each in value]
    if name in VOLATILE:
        return type(value).__name__
    return _mask(value) if isinstance(value, str) else value


def screen(svg: Path) -> set[str]:
    """The lines of a recorded terminal without their numbers, and without the progress of jobs,
    whose order and number are chance."""
    states = "pending|processing|storing|succeeded"
    lines = (row for row in rows(svg) if not re.search(rf"({states})\s*$", row))
    return {re.sub(r"[\s─]+", "", re.sub(r"[\d.,]+", "0", line)) for line in lines}


def _mask(text: str) -> str:
    for pattern, mask in MASKS.items():
        text = re.sub(pattern, mask, text)
    return text


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    masks = {"retry-after": "<number>", "etag": "<tag>"}
    return name, masks.get(name.lower(), _mask(value))


def _tool(name: str) -> Path:
    return Path(sys.executable).parent / name


def _number(path: Path) -> int:
    return int(path.name.partition("-")[2])
