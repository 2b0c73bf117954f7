"""The end of a model's log, and the progress it tells of."""

import pytest

from vsl.domain.predictions.prediction import Outcome, Prediction
from vsl.domain.predictions.provider_logs import TAIL_CHARACTERS, log_progress, log_tail

BAR = " 40%|████      | 10/25 [00:02<00:03,  4.81it/s]"


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("", ""),
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        (f"  0%|\r{BAR}\r\ndone", f"{BAR}\ndone"),
        (f"  0%|\r 20%|\r{BAR}", BAR),
        ("a\0b\x1b[31mred\ud800\x7f\tc", "abred\ufffd\tc"),
        ("é漢😀", "é漢😀"),
    ],
)
def test_a_short_log_is_kept(text: str, tail: str) -> None:
    assert log_tail(text) == tail


def test_of_a_long_log_the_end_is_kept() -> None:
    tail = log_tail("\n".join(f"line {n}" for n in range(100_000)))
    assert len(tail) == TAIL_CHARACTERS
    assert tail.endswith("line 99998\nline 99999")


def test_a_bar_that_was_drawn_often_does_not_push_the_rest_out() -> None:
    text = "Using seed: 7\n" + "".join(f"{n:3d}%|{'█' * 60}|\r" for n in range(101))
    assert log_tail(text).startswith("Using seed: 7\n100%|")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", None),
        ("Prompt: 50% more cats", None),
        (f"  0%|\n{BAR}\nsaving", 0.4),
        (f"100%|██|\n{BAR}", 0.4),
        ("100%|██████████| 25/25", 1.0),
        ("999%|", 1.0),
    ],
)
def test_the_last_bar_tells_the_progress(text: str, told: float | None) -> None:
    assert log_progress(text) == told


def test_the_log_does_not_travel_through_step_functions() -> None:
    body = {"id": "p", "status": "succeeded", "logs": "x" * 9000}
    outcome = Outcome.of(Prediction.parse(body), "webhook")
    assert outcome.logs == "x" * TAIL_CHARACTERS
    assert "xxx" not in str(outcome.document())
    assert "xxx" not in repr(outcome)
