"""The catalogue's time limits fit the state machine that waits."""

import json
from pathlib import Path

from tests.support.models import catalogue
from vsl.adapters.replicate import CANCEL_AFTER_RANGE
from vsl.domain.catalogue import MAX_TIMEOUT_SECONDS

_MACHINE = Path(__file__).parents[2] / "statemachines" / "media_job.asl.json"


def test_every_model_gives_up_before_the_waiting_state_does() -> None:
    states = json.loads(_MACHINE.read_text(encoding="utf-8"))["States"]
    assert states["AwaitPrediction"]["TimeoutSeconds"] > MAX_TIMEOUT_SECONDS


def test_every_time_limit_is_one_the_provider_can_enforce() -> None:
    low, high = CANCEL_AFTER_RANGE
    assert all(low <= model.timeout <= high for model in catalogue().models.values())
