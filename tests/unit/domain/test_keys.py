"""Keys of stored files: safe whatever the provider calls a file, and never two outputs under one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import make_job
from vsl.domain.jobs.object_keys import file_name, media_prefix, thumbnail_key, thumbnail_prefix

JOB = make_job()
HOSTILE = [
    "",
    ".",
    "..",
    "...",
    ".png",
    "..png",
    "png",
    "猫.png",
    "犬.png",
    "猫",
    "😀.😀.png",
    "猫.猫",
    "_.png",
    ".._..png",
    "\x00.png",
    "a\u202egnp.exe",
    "../../etc/passwd",
    "a" * 300 + ".png",
    "猫" * 300 + ".webp",
    "a." + "b" * 300,
    "-.-",
    "a.tar.gz",
    "%2e%2e.png",
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("out-0.png", "3-out-0.png"),
        ("out 0.png", "3-out_0.png"),
        ("猫.png", "3-output.png"),
        ("黒い猫 v2.png", "3-v2.png"),
        (".png", "3-output.png"),
        ("a.tar.gz", "3-a.tar.gz"),
        ("prompt", "3-prompt"),
        ("", "3-output"),
        ("..", "3-output"),
        ("a.猫", "3-a"),
        ("v1.5-final", "3-v1.5-final"),
    ],
)
def test_a_name_keeps_its_suffix_and_has_a_stem(name: str, expected: str) -> None:
    assert file_name(3, name) == expected


def test_a_long_name_is_cut_and_keeps_its_suffix() -> None:
    cut = file_name(0, "a" * 300 + ".png")
    assert len(cut) <= 82
    assert cut.endswith("a.png")


def stored(names: list[str]) -> list[str]:
    keys = [media_prefix(JOB) + file_name(index, name) for index, name in enumerate(names)]
    return keys + [thumbnail_key(JOB, key) for key in keys]


def assert_apart_and_safe(names: list[str]) -> None:
    keys = stored(names)
    assert len({key.lower() for key in keys}) == len(keys)
    for key in keys:
        folder, _, last = key.rpartition("/")
        assert folder + "/" in {media_prefix(JOB), thumbnail_prefix(JOB)}
        assert re.fullmatch(r"\d+-[A-Za-z0-9-][A-Za-z0-9._-]*", last), last
        assert not last.endswith(".")
        assert len(last) < 100


def test_hostile_names_do_not_collide() -> None:
    assert_apart_and_safe(HOSTILE)
    assert_apart_and_safe([name for name in HOSTILE for _ in range(2)])


@given(st.lists(st.text(max_size=100) | st.sampled_from(HOSTILE), max_size=12))
def test_no_names_at_all_collide(names: list[str]) -> None:
    assert_apart_and_safe(names)


def test_a_thumbnail_is_called_like_its_file() -> None:
    key = media_prefix(JOB) + "1-output.png"
    assert thumbnail_key(JOB, key) == thumbnail_prefix(JOB) + "1-output.webp"
    assert thumbnail_key(JOB, media_prefix(JOB) + "1-a") == thumbnail_prefix(JOB) + "1-a.webp"
