"""`vsl`: make media, look after jobs, run the local stack, deploy a stage."""

import json
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.client import money
from cli.client.callbacks import callbacks_command
from cli.client.commands import AsJson, Stage, screen_command, state_option
from cli.client.estimate import estimate_command
from cli.client.generate import generate_command, watch_command
from cli.client.job_list import jobs_command
from cli.client.jobs import cancel_command, delete_command, download_command, show_command
from cli.client.keys import keys
from cli.client.models import models_command
from cli.client.open_job import open_command
from cli.client.trace import trace_command
from cli.default_command import DefaultCommand
from cli.models.commands import register as register_catalogue
from cli.release.commands import app as database
from devstack.paths import StateFolder, program
from devstack.stack import read_processes, running_stack, stop_recorded

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client.screen import Screen

app = typer.Typer(
    help="Make images, videos and music with VSL, on this machine or on AWS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_STACK, _OPERATIONS = "Local stack", "Operations"
for each in (
    generate_command,
    estimate_command,
    jobs_command,
    show_command,
    watch_command,
    trace_command,
    callbacks_command,
    open_command,
    cancel_command,
    download_command,
    delete_command,
):
    app.command(rich_help_panel="Jobs")(each)
app.add_typer(money.budget, name="budget", rich_help_panel="Money")
app.command(rich_help_panel="Money")(money.usage_command)
app.add_typer(money.credits_, name="credits", rich_help_panel="Money")
app.command(rich_help_panel="Money")(money.ledger_command)
app.add_typer(keys, name="keys", rich_help_panel=_OPERATIONS)
catalogue = typer.Typer(cls=DefaultCommand, help="What there is to generate with.")
catalogue.command("list")(models_command)
register_catalogue(catalogue)
app.add_typer(catalogue, name="models", rich_help_panel="Jobs")
app.add_typer(database, name="db", rich_help_panel=_OPERATIONS)

State = Annotated[Path | None, state_option("Folder of this stack.")]


def _port(of: str) -> Any:
    return typer.Option(help=f"Of {of}.", show_default="a free one")


def _version(wanted: bool) -> None:
    if wanted:
        print(installed_version("vsl"))
        raise typer.Exit


@app.callback()
def everything(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print it and leave."),
    ] = False,
) -> None:
    """Make images, videos and music with VSL, on this machine or on AWS."""


@app.command(rich_help_panel=_STACK)
def up(  # noqa: PLR0913 - one argument an option
    *,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
    as_json: AsJson = False,
    state: State = None,
    speed: Annotated[
        float, typer.Option(help="Multiplies the time models take; 0.05 is twenty times as fast.")
    ] = 1.0,
    provider_rate: Annotated[
        int, typer.Option(min=1, help="Predictions a minute that the provider takes.")
    ] = 600,
    port: Annotated[
        int | None,
        typer.Option(
            help="Of the API; 0 chooses a free one.",
            envvar="VSL_PORT",
            show_default="4380, or a free one if it is taken",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Bring back jobs and media of the stack before.")
    ] = False,
    engine_port: Annotated[int | None, _port("the AWS engine")] = None,
    replicate_port: Annotated[int | None, _port("the Replicate stand-in")] = None,
    postgres_port: Annotated[int | None, _port("PostgreSQL")] = None,
    valkey_port: Annotated[int | None, _port("Valkey")] = None,
    build: Annotated[
        Path | None,
        typer.Option(help="Run the output of `sam build` (.aws-sam/build), not the working tree."),
    ] = None,
    sam: Annotated[
        bool, typer.Option("--sam", help="With --build: let `sam deploy` do the deployment.")
    ] = False,
    auth: Annotated[
        Literal["NONE", "API_KEY", "KEYS", "COGNITO", "IAM"] | None,
        typer.Option(help="How callers are known, as on AWS.", show_default="NONE"),
    ] = None,
    media_delivery: Annotated[
        Literal["presigned", "cloudfront"] | None,
        typer.Option(help="Where stored files are read, as on AWS.", show_default="presigned"),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Name=Value of the template, repeatable.")
    ] = None,
) -> None:
    """Start the stack; Ctrl-C or `vsl down` stops it."""
    from devstack.commands import up_command
    from devstack.supervisor import UpOptions

    named = {"ApiAuth": auth, "MediaDelivery": media_delivery}
    wanted = {name: value for name, value in named.items() if value is not None}
    if sam and build is None:
        raise typer.BadParameter("--sam needs --build.")
    ports = {
        "api": port,
        "engine": engine_port,
        "replicate": replicate_port,
        "postgres": postgres_port,
        "valkey": valkey_port,
    }
    options = UpOptions(
        state=StateFolder.at(state),
        speed=speed,
        provider_rate=provider_rate,
        ports={name: chosen for name, chosen in ports.items() if chosen is not None},
        parameters={**_pairs(parameter or []), **wanted},
        build=None if build is None else build.resolve(),
        sam=sam,
        keep=keep,
    )
    up_command(options, detach=detach, console=_console(quiet=as_json))


@app.command(rich_help_panel=_STACK)
def down(*, state: State = None, as_json: AsJson = False) -> None:
    """Stop the stack of this state folder."""
    folder = StateFolder.at(state)
    stopped = stop_recorded(folder)
    if as_json:
        print(json.dumps({"stopped": stopped, "state": str(folder.root)}))
        return
    what = f"Stopped {stopped} processes" if stopped else "Nothing was running"
    _console().print(f"{what} in {folder.root}.")


@app.command(rich_help_panel=_STACK)
def status(*, state: State = None, as_json: AsJson = False) -> None:
    """Tell whether the stack runs and where; the exit code is 1 if it does not."""
    folder = StateFolder.at(state)
    document = running_stack(folder)
    processes = [
        {"name": each.name, "pid": each.process.pid, "alive": each.process.alive}
        for each in read_processes(folder)
    ]
    if as_json:
        found = {"running": document is not None, "processes": processes, **(document or {})}
        print(json.dumps(found))
    elif document is None:
        _console().print(f"No stack is running in {folder.root}.")
    else:
        _print_status(document, processes)
    raise typer.Exit(0 if document is not None else 1)


@app.command(rich_help_panel=_STACK)
def token(
    user: Annotated[str, typer.Argument(help="The token's subject: whose jobs it may see.")],
    *,
    seconds: Annotated[int, typer.Option(help="How long it counts.")] = 3600,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Print an identity token of the local user pool, for a stack with `--auth COGNITO`."""
    from devstack.identity import Identity
    from vsl.domain.api.request import is_user_id

    if not is_user_id(user):
        raise typer.BadParameter(f"{user!r} is no user id.")
    folder = StateFolder.at(state)
    folder.create()
    made = Identity.of(folder.identity).token(user, seconds)
    print(json.dumps({"token": made, "user": user, "seconds": seconds}) if as_json else made)


@app.command(rich_help_panel=_OPERATIONS)
def deploy(
    *,
    stage: Stage = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --stage: print the commands.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="With --stage: do not ask about the change set.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="With --stage: Name=Value of the template, repeatable."),
    ] = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Deploy template.yaml, the state machines and the API again to the running stack, or a stage to AWS.

    The local stack's functions need no deployment: the next job uses what is in the working tree. A
    stage's account is looked at; the stage is built, validated, its database migrated, deployed and tried.
    """
    if stage:
        from cli.client.screen import Screen

        screen = Screen(as_json)
        with screen.errors():
            from cli.release.stage import deploy_stage_command

            deploy_stage_command(stage, screen, yes=yes, dry_run=dry_run, given=parameter or ())
        return
    from devstack.commands import deploy_command

    deploy_command(_running(state), _console(quiet=as_json))


@app.command(rich_help_panel=_STACK)
def logs(
    function: Annotated[
        str | None, typer.Argument(help="Such as submit_prediction, or a process; all functions.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    state: State = None,
) -> None:
    """Show what functions and processes have logged."""
    from devstack.logs import LogNotFoundError, lines

    try:
        for line in lines(_running(state), function, follow=follow):
            if as_json:
                print(json.dumps(line.document(), ensure_ascii=False), flush=True)
            else:
                print(line.text(alone=function is not None), flush=True)
    except LogNotFoundError as error:
        _console().print(f"[red]{error}[/red]")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command(rich_help_panel=_STACK)
def demo(
    *,
    output: Annotated[Path, typer.Option(help="Where the media files go.")] = Path("vsl-demo"),
    state: State = None,
    speed: Annotated[float, typer.Option(help="Multiplies the time models take.")] = 0.05,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make one image, one video and one piece of music, all the way through."""
    from cli.demo import demo_command

    console = _console(quiet=as_json)
    code = demo_command(StateFolder.at(state), output, speed=speed, keep=keep, console=console)
    raise typer.Exit(code)


@app.command(rich_help_panel=_OPERATIONS)
@screen_command
def prune(
    screen: "Screen",
    *,
    stage: Annotated[str, typer.Option(help="A deployed stage.")],
    keep: Annotated[int, typer.Option(min=1, help="The newest so many stay in any case.")] = 3,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell.")] = False,
) -> None:
    """Delete a stage's old versions of functions and machines, which no alias leads to."""
    from cli.release.prune import prune_command

    prune_command(stage, screen, keep=keep, dry_run=dry_run)


@app.command(rich_help_panel=_OPERATIONS)
@screen_command
def leftovers(
    screen: "Screen",
    *,
    stage: Annotated[str, typer.Option(help="A stage whose stack is gone.")],
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Let a new stack take them over, with their data.")
    ] = False,
    remove_empty: Annotated[
        bool, typer.Option("--remove-empty", help="Delete those with nothing in them.")
    ] = False,
) -> None:
    """Tables and bucket that a deleted stack left behind, and that a new one would stumble over."""
    from cli.release.leftovers import leftovers_command

    leftovers_command(stage, screen, adopt=adopt, remove_empty=remove_empty)


@app.command(rich_help_panel=_OPERATIONS)
def doctor(
    *,
    fix: Annotated[bool, typer.Option("--fix", help="Put right what can be put right.")] = False,
    bill: Annotated[
        bool, typer.Option("--bill", help="Compare the ledger with the provider's list instead.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, help="How far back to look.")] = 7,
    limit: Annotated[
        int, typer.Option(min=1, help="Jobs, objects and predictions at most.")
    ] = 5000,
    stage: Stage = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Look for what does not agree: stuck jobs, predictions and files without a job, drift, keys, money.

    The exit code is 1 while something is open.
    """
    from cli.doctor.command import doctor_command

    document, console = None if stage else _running(state), _console()
    raise typer.Exit(
        doctor_command(
            document,
            stage,
            fix=fix,
            bill=bill,
            days=days,
            limit=limit,
            as_json=as_json,
            console=console,
        )
    )


@catalogue.command(rich_help_panel=_OPERATIONS)
@screen_command
def unfreeze(
    screen: "Screen",
    model: Annotated[str, typer.Argument(help="`vsl doctor` names frozen ones.")],
    *,
    stage: Stage = None,
    state: State = None,
) -> None:
    """Let a model take jobs again that is frozen because one cost far more than its estimate."""
    from cli.doctor.freezes import unfreeze_command

    unfreeze_command(None if stage else _running(state), stage, model, screen)


def _console(*, quiet: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def _running(state: Path | None) -> dict[str, Any]:
    folder = StateFolder.at(state)
    document = running_stack(folder)
    if document is None:
        _console().print(
            f"[red]No stack is running in {folder.root}; start one with `{program()} up`.[/red]"
        )
        raise typer.Exit(1)
    return document


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"--parameter wants Name=Value, not {text!r}.")
        pairs[name] = value
    return pairs


_ADDRESSES = (
    "apiUrl",
    "mediaUrl",
    "replicateUrl",
    "awsEndpointUrl",
    "databaseUrl",
    "redisUrl",
    "logs",
)


def _print_status(document: dict[str, Any], processes: list[dict[str, Any]]) -> None:
    from rich.panel import Panel
    from rich.table import Table

    from cli.client.screen import Screen

    table = Table("process", "pid", "", box=None, pad_edge=False)
    for each in processes:
        table.add_row(each["name"], str(each["pid"]), "" if each["alive"] else "[red]gone[/red]")
    out = Screen().out
    out.print(table)
    addresses = Table(box=None, show_header=False, pad_edge=False)
    for name in _ADDRESSES:
        if name in document:
            addresses.add_row(f"[bold]{name}[/bold]", document[name])
    out.print(Panel(addresses, title="VSL is running", expand=False))


def main() -> None:
    """Entry point of `vsl`."""
    try:
        app()
    except (KeyboardInterrupt, OSError):
        from cli.client.screen import Screen

        with Screen(as_json="--json" in sys.argv).errors():
            raise
