"""`vsl models`: what there is, what it costs, how it is called."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client.commands import MODELS, public_command
from cli.client.formatting import as_written, dollars, price, seconds, table
from cli.client.inputs import type_of
from vsl.domain.jobs.job import MediaType

if TYPE_CHECKING:
    from rich.table import Table

    from cli.client.api import Api
    from cli.client.screen import Screen


@public_command
def models_command(
    api: "Api",
    screen: "Screen",
    model: Annotated[
        str | None,
        typer.Argument(help="One of them, with its parameters.", autocompletion=MODELS),
    ] = None,
    *,
    media: Annotated[MediaType | None, typer.Option(help="Only these.")] = None,
) -> None:
    """What there is to generate with, what it costs and how long it takes."""
    if model is not None:
        found = api.model(model)
        if not screen.answer(found):
            _show_model(api, found, screen)
        return
    models = [each for each in api.models() if media in {None, each["mediaType"]}]
    if screen.answer({"models": models}):
        return
    screen.out.print(_table(models))
    screen.say(
        f"Time is that of the example. `{api.target.command('models MODEL')}` shows it.", "dim"
    )


def as_command(api: "Api", model_id: str, parameters: Mapping[str, Any]) -> str:
    """A request as a command to paste."""
    return api.target.command(generate_words(model_id, parameters))


def generate_words(model_id: str, parameters: Mapping[str, Any]) -> str:
    """The same without the program and its target."""
    words = ["generate", model_id]
    for name, value in parameters.items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--prompt", text] if name == "prompt" else ["-p", f"{name}={text}"]
    return shlex.join(words)


def _table(models: Sequence[Mapping[str, Any]]) -> "Table":
    from rich.markup import escape

    shown = table("model", "media", "price", "time", "what it does", whole=(0, 1, 3))
    for model in models:
        shown.add_row(
            f"[bold]{model['modelId']}[/bold]",
            model["mediaType"],
            price(model["price"]),
            seconds(model["estimatedTime"]),
            escape(model["description"]),
        )
    return shown


def _show_model(api: "Api", model: Mapping[str, Any], screen: "Screen") -> None:
    from rich.markup import escape

    out = screen.out
    out.print(f"[bold]{model['modelId']}[/bold]  {model['mediaType']}")
    out.print(model["description"], markup=False)
    out.print(f"{price(model['price'])}; the example takes about {seconds(model['estimatedTime'])}")
    amounts = (model["price"] or {}).get("amounts", {})
    for choice, amount in amounts.items():
        out.print(f"  {model['price']['by']}={choice}: {dollars(amount)}")
    schema = model["parameters"]
    shown = table("parameter", "takes", "default", "", whole=(0,))
    for name, each in schema["properties"].items():
        required = name in schema.get("required", ())
        default = "[red]required[/red]" if required else as_written(each.get("default", ""))
        shown.add_row(
            f"[bold]{name}[/bold]",
            escape(_takes(each)),
            default,
            escape(each.get("description", "")),
        )
    out.print(shown)
    out.print("Try it:", style="dim")
    out.print(as_command(api, model["modelId"], model["example"]), markup=False, soft_wrap=True)


def _takes(schema: Mapping[str, Any]) -> str:
    """The values a parameter takes, in a few words."""
    if "items" in schema:
        return f"list of {_takes(schema['items'])}, at most {schema['maxItems']}"
    if "enum" in schema:
        return " | ".join(map(as_written, schema["enum"]))
    if schema.get("format") == "uri":
        return "file or address"
    kind = type_of(schema)
    kind = {"boolean": "true | false", "string": "text"}.get(kind, kind)
    if "minimum" in schema or "maximum" in schema:
        return f"{kind} {schema.get('minimum', '…')} to {schema.get('maximum', '…')}"
    if "maxLength" in schema:
        return f"{kind}, up to {schema['maxLength']} characters"
    return kind
