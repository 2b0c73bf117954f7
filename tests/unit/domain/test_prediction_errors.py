"""The provider's error texts, as its users report them, and what they mean to us."""

import pytest

from vsl.domain.errors import (
    ContentFlagged,
    PredictionCanceled,
    PredictionFailed,
    PredictionInterrupted,
    VslError,
)
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.domain.predictions.prediction_errors import classify


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


# Moderation as the models' suppliers word it: Black Forest Labs, MiniMax, ByteDance, Google, OpenAI
# and others whose models the provider resells.
@pytest.mark.parametrize(
    "text",
    [
        "Request Moderated",
        "Content Moderated",
        "Task failed: Request Moderated (moderation reasons: Derivative Works Filter)",
        "input new_sensitive (1026)",
        "output new_sensitive",
        "The request failed because the input text may contain sensitive information.",
        "The request failed because the output video may contain sensitive information. Request id: 1",
        "InputTextSensitiveContentDetected",
        "OutputImageSensitiveContentDetected.PolicyViolation",
        "The prompt contains words that violate Google's Responsible AI practices.",
        "the output violates Google's Responsible AI policies. Support codes: 1",
        "Your request was rejected by the safety system.",
        "Your request was rejected as a result of our safety system.",
        "Error code: 400 - moderation_blocked",
        "content_policy_violation",
        "Content was flagged by the safety system. Try different prompts or inputs.",
        "Request blocked: The uploaded audio was flagged by Google safety review.",
        "The input failed content moderation.",
        "Your prompt was caught by our AI moderator.",
        "The generated video was rejected by the content filter",
        "Potential NSFW content was detected in one or more images.",
    ],
)
def test_moderation_in_the_words_of_each_supplier(text: str) -> None:
    error = classify(failed(text))
    assert type(error) is ContentFlagged
    assert error.details["providerError"] == text


@pytest.mark.parametrize(
    "text",
    [
        "The key is case sensitive: Prompt",
        "Failed to load the safety checker's weights",
        "content-type not in the list of moderate sizes",
        "resolution is not within the range of allowed options",
        "Each reference audio must be between 2 and 30 seconds",
        "internal error, please try again later",
        "KeyError: 'sample'",
    ],
)
def test_what_only_sounds_like_moderation(text: str) -> None:
    assert type(classify(failed(text))) is PredictionFailed


def test_case_does_not_matter() -> None:
    assert isinstance(classify(failed("nsfw CONTENT detected")), ContentFlagged)


def test_a_text_nobody_knows_is_passed_on_shortened() -> None:
    error = classify(failed("x" * 5000))
    assert error.message == "The model failed: " + "x" * 500
    assert error.details["providerError"] == "x" * 2000


@pytest.mark.parametrize("status", [PredictionStatus.CANCELED, PredictionStatus.ABORTED])
def test_canceled_and_aborted(status: PredictionStatus) -> None:
    assert type(classify(Outcome("p1", status, "poller"))) is PredictionCanceled


@pytest.mark.parametrize("status", [PredictionStatus.SUCCEEDED, PredictionStatus.PROCESSING])
def test_what_did_not_fail_is_not_an_error(status: PredictionStatus) -> None:
    with pytest.raises(ValueError, match="not failed"):
        classify(Outcome("p1", status, "poller"))
