"""What was understood of a model, for people."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from cli.client.formatting import as_written, dollars, plain, price, seconds, table
from cli.client.screen import Screen
from cli.models.hardware import hardware_table
from cli.models.translation.compare import Change
from cli.models.translation.entry import Proposal
from cli.models.translation.inputs import Entry
from cli.models.translation.reference import Reference

_SHAPES = {
    "single": "one file",
    "list": "a list of files",
    "object": "files in an object",
    "text": "text, stored as .txt",
    "json": "a value, stored as .json",
}


def show_proposal(proposal: Proposal, screen: Screen, current: str | None) -> None:
    """`current` is the version a deployment runs."""
    entry, out = proposal.entry, screen.out
    out.print(f"[bold]{proposal.model_id}[/bold]  {proposal.media}")
    out.print(escape(plain(entry["description"])), soft_wrap=True)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    facts.add_row("runs", escape(_runs(entry, current)))
    facts.add_row("makes", f"{proposal.media}: {_SHAPES[entry['output']]} ({entry['output']})")
    facts.add_row("price", escape(_price(entry)))
    time = seconds(entry["estimatedTime"])
    facts.add_row("time", f"about {time}, canceled after {seconds(entry['timeout'])}")
    out.print(facts)
    out.print(_parameters(entry["parameters"]))
    left_out = [(str(each.input), each.message) for each in proposal.left_out]
    remarks = [(each.parameter, each.message) for each in proposal.remarks]
    guesses = [(each.parameter, each.message) for each in proposal.guesses]
    for name, heading, rows in (
        ("left out", "because it", left_out),
        ("mind", "", remarks),
        ("guessed", "the option beside it says otherwise", guesses),
    ):
        if rows:
            out.print(_remarks(name, heading, rows))


_EFFECTS = {
    "now": "[red]jobs fail now[/red]",
    "update": "[yellow]refused once updated[/yellow]",
    None: "",
}


def show_changes(rows: Iterable[tuple[str, Change, str | None]], screen: Screen) -> None:
    """Each with its model, and when it is felt."""
    shown = table("model", "input", "what has changed", "", whole=(0,))
    before = ""
    for model_id, change, effect in rows:
        name = "" if model_id == before else f"[bold]{model_id}[/bold]"
        words = (escape(plain(text)) for text in (change.input or "", change.message))
        shown.add_row(name, *words, _EFFECTS[effect])
        before = model_id
    screen.out.print(shown)


def _runs(entry: Entry, current: str | None) -> str:
    reference = Reference.parse(entry["reference"])
    if reference.deployment:
        version = f", version {current[:12]} today" if current else ""
        return f"{reference.unpinned}: a deployment{version}"
    if reference.version is None:
        return f"{reference.unpinned}: official, runs by name"
    return f"{reference.unpinned}: pinned to version {reference.version[:12]}"


def _price(entry: Entry) -> str:
    known = entry.get("price")
    if known is None:
        return (
            "none: refused unless unpriced models are allowed;"
            " --price AMOUNT --unit UNIT or --hardware KEY gives one"
        )
    if "hardware" in known:
        rate = hardware_table()[known["hardware"]]
        cost = float(rate.per_second) * known["predictTime"]
        amount = dollars(str(rate.per_second))
        return f"{amount} a second of {rate.title}; about {dollars(cost)} a run"
    if known["unit"] == "gpu_second":
        cost = float(known["amount"]) * known["predictTime"]
        return f"{price(known)}; about {dollars(cost)} a run"
    return price(known) + (f", counted by {known['count']}" if "count" in known else "")


def _parameters(parameters: Mapping[str, Entry]) -> Table:
    shown = table("parameter", "type", "takes", "default", "", whole=(0, 1))
    for name, each in parameters.items():
        default = "[red]required[/red]" if each.get("required") else escape(_default(each))
        words = [f"→ {each['input']}"] if "input" in each else []
        words += [each[key] for key in ("title", "description") if key in each]
        shown.add_row(
            f"[bold]{name}[/bold]",
            _type(each),
            escape(plain(takes(each))),
            default,
            escape(plain(_short(". ".join(words)))),
        )
    return shown


def takes(parameter: Entry) -> str:
    """The values a parameter takes, in a few words."""
    words = [_values(parameter)]
    if parameter["type"] == "array":
        low, high = parameter.get("minItems", 0), parameter.get("maxItems", 100)
        words.append(f"{low} to {high} of them")
    return ", ".join(word for word in words if word)


def _values(parameter: Entry) -> str:
    if "enum" in parameter:
        return _short(" | ".join(map(as_written, parameter["enum"])), 120)
    if "uri" in {parameter["type"], parameter.get("items")}:
        return f"{parameter['media']} file" if "media" in parameter else "any file"
    low, high = parameter.get("minimum"), parameter.get("maximum")
    step = f", multiples of {parameter['multipleOf']}" if "multipleOf" in parameter else ""
    if low is not None or high is not None:
        return f"{'…' if low is None else low} to {'…' if high is None else high}{step}"
    if "maxLength" in parameter:
        return f"up to {parameter['maxLength']} characters"
    return step.removeprefix(", ")


def _type(parameter: Entry) -> str:
    kind = f"{parameter['items']} list" if parameter["type"] == "array" else parameter["type"]
    return f"{kind} or null" if parameter.get("nullable") else str(kind)


def _default(parameter: Entry) -> str:
    if "default" not in parameter:
        return ""
    return _short(as_written(parameter["default"]), 40) or '""'


def _short(text: str, longest: int = 90) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _remarks(name: str, heading: str, rows: Iterable[tuple[Any, str]]) -> Table:
    shown = table(name, heading, whole=(0,))
    for first, second in rows:
        shown.add_row(f"[bold]{escape(plain(first))}[/bold]", escape(plain(second)))
    return shown
