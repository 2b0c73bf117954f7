"""The provider's error texts, as its users report them, and what they mean to us."""

import pytest

from vsl.domain.errors import (
    ContentFlagged,
    PredictionCanceled,
    PredictionFailed,
    PredictionInterrupted,
    VslError,
)
from vsl.domain.prediction import Outcome, PredictionStatus
from vsl.domain.prediction_errors import classify


def failed(error: str | None) -> Outcome:
    return Outcome("p1", PredictionStatus.FAILED, "webhook", error=error)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Prediction interrupted; please retry (code: PA)", PredictionInterrupted),
        ("Director: unexpected error handling prediction (E9828)", PredictionInterrupted),
        ("Director: unexpected error handling prediction (E6716)", PredictionInterrupted),
        ("Director: unexpected error handling prediction (E1001)", PredictionFailed),
        ("Unknown error (E1000)", PredictionInterrupted),
        ("Prediction stopped in a non-terminal state (E8367)", PredictionInterrupted),
        ("Health check failed (E8765)", PredictionInterrupted),
        ("Failed to upload file (E9825)", PredictionInterrupted),
        ("Error starting prediction (E9243)", PredictionInterrupted),
        ("Internal webhook URL empty (E4875)", PredictionInterrupted),
        (
            "Service is currently unavailable due to high demand. Please try again later. (E003)",
            PredictionInterrupted,
        ),
        (
            "Service is temporarily unavailable. Please try again later. (E004)",
            PredictionInterrupted,
        ),
        (
            "The input or output was flagged as sensitive. Please try again. (E005) (uIJ6l3ruRD)",
            ContentFlagged,
        ),
        ("Upstream account (E001)", PredictionFailed),
        ("Upstream key (E002)", PredictionFailed),
        (
            "NSFW content detected. Try running it again, or try a different prompt.",
            ContentFlagged,
        ),
        (
            "All generated images contained NSFW content. Try running it again.",
            ContentFlagged,
        ),
        ("CUDA out of memory. Tried to allocate 26.11 GiB (GPU 0; 39.59 GiB)", PredictionFailed),
        ("Prediction timed out", PredictionFailed),
        (
            "model container failed to boot and complete setup within 600 seconds",
            PredictionInterrupted,
        ),
        (
            "`height` and `width` have to be divisible by 8 but are 1023 and 1024.",
            PredictionFailed,
        ),
        ("", PredictionFailed),
        (None, PredictionFailed),
    ],
)
def test_failures(text: str | None, kind: type[VslError]) -> None:
    error = classify(failed(text))

    assert type(error) is kind
    assert error.message.endswith(".") or (text and error.message.endswith(text))
    assert error.details == {"replicateId": "p1"} | ({"providerError": text} if text else {})


def test_case_does_not_matter() -> None:
    assert isinstance(classify(failed("nsfw CONTENT detected")), ContentFlagged)


def test_a_text_nobody_knows_is_passed_on_shortened() -> None:
    error = classify(failed("x" * 5000))
    assert error.message == "The model failed: " + "x" * 500
    assert error.details["providerError"] == "x" * 500


@pytest.mark.parametrize("status", [PredictionStatus.CANCELED, PredictionStatus.ABORTED])
def test_canceled_and_aborted(status: PredictionStatus) -> None:
    assert type(classify(Outcome("p1", status, "poller"))) is PredictionCanceled


@pytest.mark.parametrize("status", [PredictionStatus.SUCCEEDED, PredictionStatus.PROCESSING])
def test_what_did_not_fail_is_not_an_error(status: PredictionStatus) -> None:
    with pytest.raises(ValueError, match="not failed"):
        classify(Outcome("p1", status, "poller"))
