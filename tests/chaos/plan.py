"""What goes wrong for which job, decided by a seed before anything starts."""

import random
from dataclasses import dataclass, field

from devstack.replicate.faults import (
    CreateAnswerLost,
    CreateFails,
    FileFault,
    PredictionFails,
    Rule,
    WebhookFault,
)

_INTERRUPTED = "Prediction interrupted; please retry (code: PA)"

# Share of the jobs, name, rule; at most one of each group strikes a job.
_Choices = tuple[tuple[float, str, type[Rule], dict[str, object]], ...]
_WEBHOOKS: _Choices = (
    (0.3, "webhook dropped", WebhookFault, {"kind": "drop"}),
    (0.3, "webhook doubled", WebhookFault, {"kind": "duplicate"}),
    (0.1, "webhook late", WebhookFault, {"kind": "delay", "seconds": 3}),
    (0.1, "webhook reordered", WebhookFault, {"kind": "reorder"}),
    (0.1, "webhook early", WebhookFault, {"kind": "early"}),
)
_CREATIONS: _Choices = (
    (0.05, "create 429", CreateFails, {"times": 1, "status": 429}),
    (0.05, "create 500", CreateFails, {"times": 1, "status": 500}),
    (0.05, "create answer lost", CreateAnswerLost, {"times": 1}),
)
_DOWNLOADS: _Choices = (
    (0.05, "download broken", FileFault, {"kind": "truncated", "downloads": 1}),
)
_MODELS: _Choices = ((0.05, "interrupted", PredictionFails, {"times": 1, "error": _INTERRUPTED}),)


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job with its own prompt and the faults that strike it."""

    prompt: str
    outputs: int
    faults: tuple[str, ...]
    rules: tuple[Rule, ...] = field(repr=False)


def plan(jobs: int, seed: int) -> list[PlannedJob]:
    """About 30 % of the webhooks dropped and 30 % doubled, some late, reordered or early; 10 % of
    the creations refused or answered with 500, 5 % lost; a few broken downloads and interruptions."""
    dice = random.Random(seed)
    return [_job(f"chaos {seed} job {number}", dice) for number in range(jobs)]


def _job(prompt: str, dice: random.Random) -> PlannedJob:
    found: list[tuple[str, Rule]] = []
    for choices in (_WEBHOOKS, _CREATIONS, _DOWNLOADS, _MODELS):
        drawn = dice.random()
        for share, name, kind, values in choices:
            if drawn < share:
                rule = kind.model_validate({"match": {"prompt": prompt}, **values})
                found.append((name, rule))
                break
            drawn -= share
    names, rules = tuple(name for name, _ in found), tuple(rule for _, rule in found)
    return PlannedJob(prompt, dice.choice((1, 1, 2)), names, rules)
