"""What a prediction's bad end means: the provider's error text → our error.

Sources: https://replicate.com/docs/reference/error-codes, the safety checkers of the FLUX and
SDXL models, and the texts its users report, of the suppliers whose models it resells too. The raw
text stays in `details.providerError`.
"""

import re
from typing import NamedTuple

from vsl.domain.errors import (
    ContentFlagged,
    PredictionCanceled,
    PredictionFailed,
    PredictionInterrupted,
    VslError,
)
from vsl.domain.predictions.prediction import Outcome, PredictionStatus

_MAX_TEXT = 500
# Of what a client is told beside our own words.
_MAX_DETAIL = 2000


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    kind: type[PredictionFailed]
    message: str


def _rule(pattern: str, kind: type[PredictionFailed], message: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), kind, message)


# How moderation says no, by who says it.
_MODERATION = (
    r"\(E005\)|flagged as sensitive",  # the provider
    r"(?:request|content) moderated",  # Black Forest Labs
    r"new_sensitive",  # MiniMax
    r"may contain sensitive information|SensitiveContentDetected",  # ByteDance
    r"responsible AI",  # Google
    r"moderation_blocked|content_policy_violation",  # OpenAI
    r"(?:flagged|rejected|blocked|caught) (?:by|as a result of) (?:\S+ ){0,2}safety",
    r"(?:flagged|rejected|blocked|caught) by (?:\S+ ){0,2}(?:moderat\w+|content filter)",
    r"fail\w* (?:the )?content moderation",
)

# The first rule that matches wins: codes are more telling than the prose around them.
_RULES = (
    _rule(
        "|".join(_MODERATION),
        ContentFlagged,
        "The model's moderation flagged the input or the output; change the input.",
    ),
    _rule(
        r"NSFW content",
        ContentFlagged,
        "The safety checker removed all output; change the prompt or try another seed.",
    ),
    _rule(
        r"\(E1001\)|out of memory",
        PredictionFailed,
        "The model ran out of memory; ask for less: smaller, shorter or fewer outputs.",
    ),
    _rule(
        r"\((E001|E002)\)",
        PredictionFailed,
        "The model's own supplier refuses the provider; try another model.",
    ),
    _rule(
        r"\(E003\)|high demand",
        PredictionInterrupted,
        "The model is overloaded; try again in a few minutes.",
    ),
    _rule(
        r"\(E004\)|temporarily unavailable",
        PredictionInterrupted,
        "The model is temporarily unavailable; try again.",
    ),
    _rule(
        r"failed to boot|complete setup within",
        PredictionInterrupted,
        "The provider could not start the model in time; try again later.",
    ),
    _rule(
        r"prediction timed out",
        PredictionFailed,
        "The model ran into the provider's limit of 30 minutes; ask for less.",
    ),
    _rule(
        r"\(code: PA\)|prediction interrupted|unexpected error handling prediction|\(E\d{4}\)",
        PredictionInterrupted,
        "The provider interrupted the prediction; try again.",
    ),
)


def classify(outcome: Outcome) -> VslError:
    """The error an unsuccessful outcome ends the job with.

    Raises ValueError for a prediction that succeeded or has not ended.
    """
    if outcome.status is PredictionStatus.CANCELED:
        return _error(PredictionCanceled, "The prediction was canceled at the provider.", outcome)
    if outcome.status is PredictionStatus.ABORTED:
        message = "The prediction was canceled before it started: its deadline had passed."
        return _error(PredictionCanceled, message, outcome)
    if outcome.status is not PredictionStatus.FAILED:
        raise ValueError(f"prediction {outcome.replicate_id} is {outcome.status}, not failed")
    text = (outcome.error or "").strip()
    for rule in _RULES:
        if rule.pattern.search(text):
            return _error(rule.kind, rule.message, outcome)
    if not text:
        return _error(PredictionFailed, "The model failed without giving a reason.", outcome)
    return _error(PredictionFailed, f"The model failed: {text[:_MAX_TEXT]}", outcome)


def _error(kind: type[VslError], message: str, outcome: Outcome) -> VslError:
    text = (outcome.error or "").strip()[:_MAX_DETAIL] or None
    return kind(message, replicateId=outcome.replicate_id, providerError=text)
