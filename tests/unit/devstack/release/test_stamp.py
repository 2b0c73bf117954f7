"""Each build is a release: without its stamp an alias could stay with yesterday's settings."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from devstack.paths import TEMPLATE
from devstack.release.stamp import stamp

AT = datetime(2026, 3, 1, 12, 5, 9, tzinfo=UTC)


def test_the_template_is_stamped_in_its_one_place(tmp_path: Path) -> None:
    built = tmp_path / "template.yaml"
    built.write_text(TEMPLATE.read_text())
    assert stamp(built, AT) == "20260301T120509Z"
    changed = set(built.read_text().splitlines()) - set(TEMPLATE.read_text().splitlines())
    (line,) = changed
    assert "Release: 20260301T120509Z" in line


@pytest.mark.parametrize(
    "text", ["", "Tags: {Release: 20260101T000000Z}", "Release: unreleased\n" * 2]
)
def test_a_template_without_the_one_place_is_refused(tmp_path: Path, text: str) -> None:
    built = tmp_path / "template.yaml"
    built.write_text(text)
    with pytest.raises(ValueError, match="Release: unreleased"):
        stamp(built, AT)
    assert built.read_text() == text
