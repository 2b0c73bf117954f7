"""The version that a page names for its files."""

import os
from pathlib import Path
from typing import Any

import pytest

from vsl.runtime.handler import Event, Response
from vsl.runtime.site import Site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text('<script src="files/{version}/main.js"></script>')
    (tmp_path / "main.js").write_text("one();")
    return tmp_path


def ask(site: Site, name: str, **more: Any) -> Response:
    event: Event = {"pathParameters": {"file": name, **more}, "headers": {}}
    return site.file(event, "default-src 'self'")


def named(site: Site) -> str:
    return str(ask(site, "index.html")["body"].split("/")[1])


def test_another_process_names_the_same(folder: Path) -> None:
    version = named(Site(folder))
    os.utime(folder / "main.js", ns=(0, 0))  # as it was packed
    assert named(Site(folder)) == version


def test_a_file_of_the_same_length_is_another_version(folder: Path) -> None:
    site = Site(folder)
    before = named(site)
    (folder / "main.js").write_text("two();")
    os.utime(folder / "main.js", ns=(1, 1))  # clocks of file systems are coarse
    assert named(site) != before
    assert ask(site, "main.js", version=before)["headers"]["Cache-Control"] == "no-store"
    assert "immutable" in ask(site, "main.js", version=named(site))["headers"]["Cache-Control"]


def test_what_moves_from_one_file_to_another_is_another_version(folder: Path) -> None:
    (folder / "more.js").write_text("tail")
    before = named(Site(folder))
    (folder / "main.js").write_text("one();t")
    (folder / "more.js").write_text("ail")
    assert named(Site(folder)) != before
