"""What the protocol counts on and the configuration has to keep."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.fault.harness.states import machine
from tests.support.template import resource, template
from vsl.domain.predictions.search import LATEST_POST
from vsl.runtime import settings

pytestmark = pytest.mark.no_cover  # thousands of whole jobs: measuring them doubles their time


def test_nothing_of_a_submission_is_on_its_way_when_it_counts_as_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that freezes between its intent and its POST may still send it while it lives."""
    monkeypatch.delenv("SUBMISSION_GRACE_SECONDS", raising=False)
    settings.settings.cache_clear()
    settle = settings.settings().submission_grace_seconds
    assert settle == template()["Parameters"]["SubmissionGraceSeconds"]["Default"]
    assert settle >= resource("SubmitPredictionFunction")["Properties"]["Timeout"] + 30


def test_the_window_of_a_submission_is_as_long_as_its_step_may_live() -> None:
    """A prediction outside of it is not looked for."""
    limit = resource("SubmitPredictionFunction")["Properties"]["Timeout"]
    assert timedelta(seconds=limit) == LATEST_POST


def test_a_state_machine_feature_that_is_unknown_here_raises(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else the enumeration would silently run another machine than the one that is deployed."""
    states = tmp_path / "statemachines"
    states.mkdir()
    (states / "new.asl.json").write_text(
        '{"StartAt": "A", "TimeoutSeconds": 1, "States": {"A": {"Type": "Task", "HeartbeatSeconds": 1}}}'
    )
    monkeypatch.setattr("tests.fault.harness.states.REPOSITORY", tmp_path)
    with pytest.raises(NotImplementedError, match="HeartbeatSeconds"):
        machine("new")
