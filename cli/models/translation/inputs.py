"""The provider's inputs as parameters of the catalogue, in the provider's order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.models.translation import kinds
from cli.models.translation.names import can_be_sent, public_name
from cli.models.translation.published import Published
from cli.models.translation.rules import by_input, fault_of, rule_of
from cli.models.translation.schema import Resolved, UnreadableSchemaError, resolve
from cli.models.translation.values import NotServedError, Why, rules_of
from cli.models.translation.wording import label, one_line, shown
from vsl.domain.catalogue.validation import checked

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an input is not offered. `input` is the provider's name, None for the model as a whole."""

    input: str | None
    why: Why
    message: str
    required: bool = False

    def __str__(self) -> str:
        return f"{self.input} {self.message}" if self.input else self.message


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a parameter that the schema does not say so, or says otherwise."""

    parameter: str
    message: str


@dataclass(slots=True)
class Inputs:
    """`guesses` say of what kind a parameter's files must be; `remarks` are certain."""

    parameters: dict[str, Entry] = field(default_factory=dict)
    obstacles: list[Obstacle] = field(default_factory=list)
    guesses: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def parameter(self, target: str) -> Entry | None:
        """That for the provider's input of this name, if it is offered."""
        return self.parameters.get(by_input(self.parameters).get(target, ""))

    def obstacle(self, target: str) -> Obstacle | None:
        return next((each for each in self.obstacles if each.input == target), None)


def translate_inputs(published: Published, media: Mapping[str, str] | None = None) -> Inputs:
    """`media` says what a file must be, by the provider's name of the input: a kind or `any`."""
    found = Inputs()
    public = _public_names(published)
    for name, schema in published.inputs.items():
        required = name in published.required
        if not can_be_sent(name):
            message = "has a name that cannot be sent"
            found.obstacles.append(Obstacle(name, "name", message, required))
            continue
        try:
            resolved = resolve(schema, published.schemas)
            entry = _parameter(resolved, published, public[name], required, found)
        except UnreadableSchemaError as error:
            found.obstacles.append(Obstacle(name, "reference", str(error), required))
        except NotServedError as error:
            needed = required and not _has_default(schema)
            found.obstacles.append(Obstacle(name, error.why, str(error), needed))
        else:
            _add_media(entry, name, public[name], published, (media or {}).get(name), found)
            found.parameters[public[name]] = _ordered(entry, name, public[name])
    return found


def _public_names(published: Published) -> dict[str, str]:
    """Names that are ours already come first, so that they stay what they are."""
    chosen: dict[str, str] = {}
    names = list(published.inputs)
    for name in sorted(names, key=lambda each: public_name(each, ()) != each):
        chosen[name] = public_name(name, chosen.values())
    return chosen


def _parameter(
    value: Resolved, published: Published, public: str, required: bool, found: Inputs
) -> Entry:
    """Raises NotServedError, UnreadableSchemaError."""
    member = None
    if value.type == "array" and isinstance(value.get("items"), dict):
        member = resolve(value.get("items"), published.schemas)
    remarks: list[str] = []
    entry = rules_of(value, member, remarks)
    if value.nullable:
        entry["nullable"] = True
    if required and value.get("default") is None:
        entry["required"] = True
    _drop_unusable_choices(entry, remarks)
    if value.get("default") is not None:
        _add_default(entry, value.get("default"), remarks)
    if value.get("deprecated") is True:
        remarks.append("the provider calls it deprecated")
    words = {"title": label(value.get("title"), public)}
    words["description"] = one_line(value.get("description"))
    entry |= {key: text for key, text in words.items() if text}
    found.remarks += [Remark(public, remark) for remark in remarks]
    return entry


def _drop_unusable_choices(entry: Entry, remarks: list[str]) -> None:
    """Raises NotServedError where none is left."""
    if "enum" not in entry:
        return
    rule = rule_of({key: each for key, each in entry.items() if key != "enum"})
    rule = rule.member() if entry["type"] == "array" else rule
    good = [choice for choice in entry["enum"] if fault_of(rule, choice) is None]
    bad = [choice for choice in entry["enum"] if choice not in good]
    if not good:
        raise NotServedError("type", "takes choices none of which is of its type")
    entry["enum"] = good
    if bad:
        remarks.append(f"its choices {', '.join(map(repr, map(shown, bad)))} cannot be asked for")


def _add_default(entry: Entry, default: Any, remarks: list[str]) -> None:
    """One that its own rules refuse is left to the provider."""
    rule = rule_of(entry)
    fault = fault_of(rule, default)
    if fault is not None:
        remarks.append(
            f"the provider's default {shown(default) or '(empty)'} is left out:"
            f" by its own rules it {fault.rstrip('. ')}"
        )
        return
    entry["default"] = checked(rule, default, allow_http=True)


def _has_default(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("default") is not None


def _add_media(
    entry: Entry,
    name: str,
    public: str,
    published: Published,
    given: str | None,
    found: Inputs,
) -> None:
    """What a file must be: as given, else as the example's files and the words about it say."""
    if "uri" not in {entry["type"], entry.get("items")}:
        return
    if given is not None:
        entry |= {"media": given} if given in kinds.INPUT_KINDS else {}
        return
    samples = {kinds.of_file(each) for each in kinds.addresses(published.example.get(name))}
    words = kinds.of_words(name, str(entry.get("title", "")), str(entry.get("description", "")))
    kind = samples.pop() if len(samples) == 1 else words
    if kind in kinds.INPUT_KINDS:
        entry["media"] = kind
        found.guesses.append(Remark(public, kind))


_ORDER = (
    "type", "items", "minItems", "maxItems", "media", "required", "nullable", "default", "enum",
    "minimum", "maximum", "multipleOf", "maxLength", "input", "title", "description",
)  # fmt: skip


def _ordered(entry: Entry, name: str, public: str) -> Entry:
    """Keys in the order of the hand-written entries."""
    whole = {**entry, **({"input": name} if name != public else {})}
    return {key: whole[key] for key in _ORDER if key in whole}
