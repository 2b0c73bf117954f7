"""The options of `vsl models add`, `check`, `update` and `remove`."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.client.commands import JSON, MODELS, WHERE, command, screen_of
from vsl.domain.jobs.job import MediaType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.client.screen import Screen
    from cli.models.where import Where

_PANEL = "Catalogue"
File = Annotated[
    Path | None,
    typer.Option(
        "--file", help="The catalogue.", show_default="config/models.json", rich_help_panel="Where"
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell.")]
Origin = Annotated[
    Literal["stack", "replicate"] | None,
    typer.Option(
        "--from",
        help="Where models are read: the local stack's stand-in, or Replicate by REPLICATE_API_TOKEN.",
        show_default="the stack, if one runs",
        rich_help_panel="Where",
    ),
]
Ids = Annotated[
    list[str] | None, typer.Argument(help="Ids in the catalogue.", autocompletion=MODELS)
]


@contextmanager
def _catalogue(
    *,
    as_json: bool,
    stage: str | None,
    state: Path | None,
    file: Path | None,
    origin: str | None = None,
) -> "Iterator[tuple[Where, Screen]]":
    with screen_of(as_json=as_json) as (screen,):
        from cli.client.errors import CommandError, Exit
        from cli.models.where import Where

        if stage and (file or origin):
            message = (
                "--stage has its own catalogue and its own provider: leave --file and --from out."
            )
            raise CommandError("TwoTargets", message, Exit.REFUSED)
        yield Where(state, stage, origin, file), screen


_FILE = ("file", File, None)
edit_command = command(_catalogue, JSON, _FILE, *WHERE)
catalogue_command = command(_catalogue, JSON, ("origin", Origin, None), _FILE, *WHERE)


def register(group: typer.Typer) -> None:
    for each in (add, check, update, remove):
        group.command(rich_help_panel=_PANEL)(each)


@catalogue_command
def add(  # noqa: PLR0913 - one argument an option
    where: "Where",
    screen: "Screen",
    model: Annotated[
        str, typer.Argument(help="OWNER/NAME, OWNER/NAME:VERSION or deployments/OWNER/NAME.")
    ],
    *,
    model_id: Annotated[
        str | None, typer.Option("--id", help="Its id here.", show_default="the model's name")
    ] = None,
    media: Annotated[
        MediaType | None, typer.Option(help="What it makes.", show_default="as its example tells")
    ] = None,
    price: Annotated[
        str | None, typer.Option(metavar="DOLLARS", help="Of one --unit, such as 0.003.")
    ] = None,
    unit: Annotated[
        Literal["run", "image", "output_second", "gpu_second"] | None,
        typer.Option(help="What the price is for."),
    ] = None,
    count: Annotated[
        str | None,
        typer.Option(metavar="PARAMETER", help="Holds the number of images or seconds asked for."),
    ] = None,
    hardware: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Price by GPU time, as config/hardware.json has it."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="How long a run takes.", show_default="as its example took"),
    ] = None,
    input_media: Annotated[
        list[str] | None,
        typer.Option(metavar="INPUT=KIND", help="image, video, audio or any; repeatable."),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="NAME=MIN..MAX", help="Bounds of a number; repeatable."),
    ] = None,
    replaced: Annotated[
        bool, typer.Option("--replace", help="Write an entry anew that is there already.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Put a model of the provider into the catalogue, from its published schema.

    What it takes, makes and costs is shown. What cannot be served is said, by name.
    """
    from cli.models.add import add_command
    from cli.models.options import hardware_key, input_kind, number_range, option_faults
    from cli.models.translation.entry import Options
    from cli.models.translation.prices import PriceOptions

    with option_faults():
        given = Options(
            media=media,
            price=PriceOptions(price, unit, count, hardware and hardware_key(hardware)),
            seconds=seconds,
            input_media=dict(map(input_kind, input_media or ())),
            ranges=dict(map(number_range, limits or ())),
        )
    add_command(model, given, where, screen, model_id=model_id, replaced=replaced, dry_run=dry_run)


@catalogue_command
def check(
    where: "Where",
    screen: "Screen",
    models: Ids = None,
) -> None:
    """What has changed at the provider since: new versions, inputs, ranges, choices. All, without an ID.

    The exit code is 1 where something has.
    """
    from cli.models.check import check_command

    raise typer.Exit(check_command(models or (), where, screen))


@catalogue_command
def update(
    where: "Where",
    screen: "Screen",
    models: Ids = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every model of the catalogue.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Take over what has changed at the provider; names, prices, times and limits of yours stay."""
    from cli.client.errors import CommandError, Exit
    from cli.models.check import update_command

    if bool(models) is every:
        raise CommandError("NoModel", "Name models, or all with --all.", Exit.REFUSED)
    update_command(models or (), where, screen, dry_run=dry_run)


@edit_command
def remove(
    where: "Where",
    screen: "Screen",
    model: Annotated[str, typer.Argument(help="Its id in the catalogue.", autocompletion=MODELS)],
    *,
    dry_run: DryRun = False,
) -> None:
    """Take a model out of the catalogue. Jobs that run keep what they were accepted with."""
    from cli.models.remove import remove_command

    remove_command(model, where, screen, dry_run=dry_run)
