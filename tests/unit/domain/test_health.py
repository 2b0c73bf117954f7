"""An alarm's description, and the address of its runbook at the end."""

import pytest

from vsl.domain.api.health import Alarm


@pytest.mark.parametrize(
    ("description", "text", "runbook"),
    [
        ("It fails. https://run.book/#it-fails", "It fails.", "https://run.book/#it-fails"),
        ("It fails.", "It fails.", None),
        ("See https://a.b for more", "See https://a.b for more", None),
        ("", "", None),
    ],
)
def test_the_runbook_is_the_address_at_the_end(
    description: str, text: str, runbook: str | None
) -> None:
    alarm = Alarm.described("name", "OK", description)
    assert (alarm.description, alarm.runbook) == (text, runbook)
