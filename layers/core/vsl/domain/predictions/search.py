"""The search for a prediction whose create answer was lost: what to look for, and how far it has come.

An entry of the provider's list need not carry its webhook address, and nothing else in it proves that
it is another prediction: `model` and `version` may differ from what was asked for (an official model
reads `hidden` or goes by another name), the input is emptied after an hour and file addresses in it are
replaced. So model and text only say where to look first. What does exclude an entry is the time: the
POST leaves while SubmitPrediction lives, so its prediction was created within a short window after the
intent. That window closes: the entries to examine are finite, however many newer ones there are.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from vsl.domain.predictions.prediction import Prediction

# How far the provider's clock may be from ours.
CLOCK_SKEW = timedelta(seconds=60)
# How long after its intent a POST may still leave: SubmitPrediction's time limit.
LATEST_POST = timedelta(seconds=60)
# A time may be read with another precision, or some milliseconds off, from one answer to the next.
_MARGIN = timedelta(seconds=2)
_DEPLOYED = "deployed:"


@dataclass(frozen=True, slots=True)
class Intent:
    """One attempt as it was claimed. `claim` tells this claim from any other of the same attempt;
    `model` and `text` are digests of the model (or the deployment) and of the longest text that were
    sent."""

    claim: str
    model: str = ""
    text: str = ""

    @classmethod
    def of(cls, claim: str, reference: str, provider_input: Mapping[str, Any]) -> Self:
        """`reference` is `owner/name`, `owner/name:version` or `deployments/owner/name`."""
        name, _, version = reference.partition(":")
        model = _deployed(name) if name.startswith("deployments/") else _digest(version or name)
        longest = max(_texts(provider_input), key=len, default="")
        return cls(claim, model, _digest(longest) if longest else "")


@dataclass(frozen=True, slots=True)
class Search:
    """How far the list has been examined: of the window all that was created at or after `before`,
    and these ids besides."""

    before: datetime
    examined: frozenset[str] = frozenset()


def window(intent_at: datetime) -> tuple[datetime, datetime]:
    """When the prediction of an intent was created, by the provider's clock."""
    return intent_at - CLOCK_SKEW, intent_at + LATEST_POST + CLOCK_SKEW


def boundary(created_at: datetime) -> datetime:
    """A moment before which an entry with this time of creation certainly was created."""
    return created_at.replace(microsecond=0) + _MARGIN


def resembles(entry: Prediction, intent: Intent | None) -> bool:
    """Whether nothing in the entry speaks against it: worth a look before the others."""
    if intent is None:
        return True
    texts = {_digest(text) for text in _texts(entry.input)}
    return _same_model(entry, intent) and (not texts or not intent.text or intent.text in texts)


def _same_model(entry: Prediction, intent: Intent) -> bool:
    if intent.model.startswith(_DEPLOYED):
        # Which model and version a deployment runs, its owner decides.
        return entry.deployment is None or intent.model == _deployed(entry.deployment)
    models = {_digest(name) for name in (entry.model, entry.version) if name}
    return not models or intent.model in models


def _deployed(name: str) -> str:
    """By the last part of its name: the provider may tell it with its owner or without."""
    return _DEPLOYED + _digest(name.rpartition("/")[2])


def _texts(provider_input: Mapping[str, Any]) -> list[str]:
    """Addresses of files are no texts: the provider may replace them."""
    return [
        value
        for value in provider_input.values()
        if isinstance(value, str) and not value.startswith(("https://", "http://", "data:"))
    ]


def _digest(text: str) -> str:
    """Short, because it only says where to look first, and every write of the item pays for it."""
    words = " ".join(text.split()).encode("utf-8", "replace")
    return hashlib.sha256(words).hexdigest()[:8]
