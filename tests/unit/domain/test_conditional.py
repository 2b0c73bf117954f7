"""Entity tags, and the header that names them."""

import pytest

from vsl.domain.api.conditional import entity_tag, is_known

TAG = entity_tag({"a": 1, "b": [2]}, 3)


def test_a_tag_stands_for_its_parts() -> None:
    assert entity_tag({"b": [2], "a": 1}, 3) == TAG
    assert TAG.startswith('W/"')
    assert len({TAG, entity_tag({"a": 1, "b": [2]}), entity_tag({"a": 2, "b": [2]}, 3)}) == 3


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (TAG, True),
        (TAG.removeprefix("W/"), True),
        (f'"other", {TAG}', True),
        ("*", True),
        (" * ", True),
        ('W/"other"', False),
        (TAG.strip('W/"'), False),
        ("", False),
        (None, False),
    ],
)
def test_the_header_is_compared_weakly(header: str | None, known: bool) -> None:
    assert is_known(TAG, header) is known
