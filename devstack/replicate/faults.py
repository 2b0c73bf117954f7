"""What can be made to go wrong, on purpose: rules sent to `PUT /_control/faults`.

A rule says what happens (`fault`), to which predictions (`match`) and how often (`times`). Rules
that concern a prediction are bound to it, and counted, when it is created; those that concern the
reading of predictions are counted at every such request. The first rule that fits wins.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Event = Literal["start", "output", "logs", "completed"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Match(_Strict):
    """All that is given must fit. `nth` counts, from 1, the candidates that fit the rest."""

    prompt: str | None = Field(None, description="part of the prompt (or of any text of the input)")
    model: str | None = Field(None, description="owner/name")
    nth: PositiveInt | None = None


class Rule(_Strict):
    """`times`: how many predictions (or requests) it strikes; None is all of them."""

    fault: str
    match: Match = Match()
    times: PositiveInt | None = None


class CreateFails(Rule):
    """Nothing is created; the answer has this status, 429 with `retry_after` in seconds."""

    fault: Literal["create_fails"] = "create_fails"
    status: int = 500
    detail: str | None = None
    title: str | None = None
    retry_after: int = 1


class CreateAnswerLost(Rule):
    """The prediction is created and runs; the connection is closed without an answer."""

    fault: Literal["create_answer_lost"] = "create_answer_lost"


class CreateHangs(Rule):
    """The answer takes `seconds`; then 201 if `created`, else 504 and nothing was created."""

    fault: Literal["create_hangs"] = "create_hangs"
    seconds: float
    created: bool = True


class ReadFails(Rule):
    """Get, list, cancel or webhook secret answer with this status, after `seconds`."""

    fault: Literal["read_fails"] = "read_fails"
    operation: Literal["get", "list", "cancel", "secret"] = "get"
    status: int = 500
    seconds: float = 0
    retry_after: int = 1


class ListWebhooks(Rule):
    """Entries of the list tell their webhook address, as those of a get do."""

    fault: Literal["list_webhooks"] = "list_webhooks"


class PredictionFails(Rule):
    """The model runs and fails with this text."""

    fault: Literal["prediction_fails"] = "prediction_fails"
    error: str = "Prediction interrupted; please retry (code: PA)"


class PredictionSlow(Rule):
    """Seconds, unscaled, in `starting` and in `processing`."""

    fault: Literal["prediction_slow"] = "prediction_slow"
    starting: float | None = None
    running: float | None = None


class NsfwFilter(Rule):
    """The safety checker drops `flagged` of the outputs; all of them make the prediction fail."""

    fault: Literal["nsfw_filter"] = "nsfw_filter"
    flagged: PositiveInt | None = Field(None, description="None: all outputs")


class OutputNull(Rule):
    """The prediction succeeds and has no output."""

    fault: Literal["output_null"] = "output_null"


class OddAnswer(Rule):
    """Once the prediction has ended, gets, cancels and webhooks tell these fields instead of its own.

    `fields` is the text of a JSON object, which goes out as it is: `{"error": "half \\ud83d"}`.
    """

    fault: Literal["odd_answer"] = "odd_answer"
    fields: str


class FileFault(Rule):
    """Output files go wrong: `downloads` limits it to the first downloads of each file.

    truncated: the connection breaks half way; shortened: half the file, as if it were whole;
    wrong_type: an HTML page under the media's content type; empty: no bytes; expired: 404;
    failing: `status`; stalled: half the file, then nothing for `seconds`; huge: `size` bytes, the
    file followed by zeros, made while they are sent.
    """

    fault: Literal["file"] = "file"
    kind: Literal[
        "truncated", "shortened", "wrong_type", "empty", "expired", "failing", "stalled", "huge"
    ]
    downloads: PositiveInt | None = None
    index: int | None = Field(None, description="only this output, from 0")
    status: int = 503
    seconds: float = 60
    size: int = 2 * 1024**3


class WebhookFault(Rule):
    """Webhooks go wrong: those of `events`, or all.

    drop: never sent; duplicate: sent 1 + `copies` times; delay: sent `seconds` late; reorder: held
    back until the terminal webhook was sent; forge: signed with another secret; stale: signed
    `seconds` ago; early: the create answer waits for the terminal webhook.
    """

    fault: Literal["webhook"] = "webhook"
    kind: Literal["drop", "duplicate", "delay", "reorder", "forge", "stale", "early"]
    events: list[Event] | None = None
    copies: PositiveInt = 1
    seconds: float = 1


AnyRule = Annotated[
    CreateFails
    | CreateAnswerLost
    | CreateHangs
    | ReadFails
    | ListWebhooks
    | PredictionFails
    | PredictionSlow
    | NsfwFilter
    | OutputNull
    | OddAnswer
    | FileFault
    | WebhookFault,
    Field(discriminator="fault"),
]


_FIRST_COUNTS: tuple[type[Rule], ...] = (
    PredictionFails,
    PredictionSlow,
    NsfwFilter,
    OutputNull,
    OddAnswer,
)
_ALL_COUNT: tuple[type[Rule], ...] = (FileFault, WebhookFault)


class RuleSet(_Strict):
    rules: list[AnyRule] = []


def first[R: Rule](rules: Iterable[Rule], kind: type[R]) -> R | None:
    return next((rule for rule in rules if isinstance(rule, kind)), None)


@dataclass(slots=True)
class _Counted:
    rule: Rule
    matched: int = 0
    struck: int = 0

    def strikes(self, model: str, asked: Mapping[str, Any]) -> bool:
        match, texts = self.rule.match, asked.get("prompt")
        if not isinstance(texts, str):
            texts = "\n".join(value for value in asked.values() if isinstance(value, str))
        if match.model not in {None, model} or (match.prompt or "") not in texts:
            return False
        self.matched += 1
        if match.nth not in {None, self.matched} or self.struck == self.rule.times:
            return False
        self.struck += 1
        return True


class FaultBook:
    """The rules in force, with the counts of what they matched and struck."""

    def __init__(self) -> None:
        self._rules: list[_Counted] = []

    def replace(self, rules: Sequence[Rule]) -> None:
        self._rules = [_Counted(rule) for rule in rules]

    def document(self) -> list[dict[str, Any]]:
        return [
            counted.rule.model_dump(mode="json", exclude_none=True)
            | {"matched": counted.matched, "struck": counted.struck}
            for counted in self._rules
        ]

    def take[R: Rule](
        self, kind: type[R], model: str, asked: Mapping[str, Any], operation: str | None = None
    ) -> R | None:
        """The first rule of this kind (and for this operation) that strikes, counted."""
        return next(self._striking(kind, model, asked, operation), None)

    def bind(self, model: str, asked: Mapping[str, Any]) -> tuple[Rule, ...]:
        """The rules that strike a new prediction, counted: one of most kinds, all of two."""
        one = (self.take(kind, model, asked) for kind in _FIRST_COUNTS)
        every = (rule for kind in _ALL_COUNT for rule in self._striking(kind, model, asked))
        return (*(rule for rule in one if rule is not None), *every)

    def _striking[R: Rule](
        self, kind: type[R], model: str, asked: Mapping[str, Any], operation: str | None = None
    ) -> Iterator[R]:
        for counted in self._rules:
            rule = counted.rule
            if not isinstance(rule, kind) or getattr(rule, "operation", None) != operation:
                continue
            if counted.strikes(model, asked):
                yield rule
