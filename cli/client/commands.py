"""The commands that call the API: their options. What they do is in the modules beside this one."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen

# typer reads the annotations; everything else is imported where it is used: `--help` is to be quick.
State = Annotated[
    Path | None,
    typer.Option(
        "--state", help="Folder of a local stack.", show_default=".vsl", rich_help_panel="Where"
    ),
]
Stage = Annotated[
    str | None,
    typer.Option(
        "--stage", help="A deployed stage: homolog or production.", rich_help_panel="Where"
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        help="Whose jobs.",
        show_default="VSL_USER, else me; of a stage the login",
        rich_help_panel="Where",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def _complete(what: str) -> Callable[[typer.Context, str], list[tuple[str, str]]]:
    """What the Tab key offers there, imported when it is pressed."""

    def offer(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        from cli.client import completion

        found: list[tuple[str, str]] = getattr(completion, what)(context.params, incomplete)
        return found

    return offer


MODELS, JOBS = _complete("model_ids"), _complete("job_ids")
Job = Annotated[
    str,
    typer.Argument(help="An id, the first characters of one, or `last`.", autocompletion=JOBS),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Download the files there.")]
Prompt = Annotated[str | None, typer.Option("--prompt", help="What to make.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("-p", "--parameter", help="NAME=VALUE, or NAME=@FILE; repeatable."),
]
ModelToRun = Annotated[str, typer.Argument(help="`vsl models` lists them.", autocompletion=MODELS)]
Files = Annotated[list[str] | None, typer.Option(help="A file or address; repeatable.")]
Timeout = Annotated[
    float | None, typer.Option(min=0, help="Seconds to wait at most; the job goes on.")
]


class Media(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    FILE = "file"


class Status(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    STORING = "storing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


def command(
    opened: Callable[..., AbstractContextManager[tuple[Any, ...]]], *options: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator: the command has `options` besides those that the function lists.

    `opened` takes their values; what it yields are the function's first arguments, whose annotations
    are text, since their classes are not imported before the command runs.
    """
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in options
    ]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def run(**given: Any) -> None:
            with opened(**{each.name: given.pop(each.name) for each in more}) as context:
                function(*context, **given)

        listed = inspect.signature(function).parameters.values()
        parameters = [each for each in listed if not isinstance(each.annotation, str)] + more
        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate


@contextmanager
def _screen(*, as_json: bool) -> "Iterator[tuple[Screen]]":
    """A screen; a CommandError becomes a message and an exit code."""
    from cli.client.screen import Screen

    screen = Screen(as_json)
    with screen.errors():
        yield (screen,)


@contextmanager
def session(
    *, as_json: bool, stage: str | None, state: Path | None, user: str | None = None
) -> "Iterator[tuple[Api, Screen]]":
    """An open client and a screen."""
    with _screen(as_json=as_json) as (screen,):
        from cli.client.api import Api
        from cli.client.target import resolve

        with Api(resolve(state, stage, user)) as api:
            yield api, screen


_JSON, _USER = ("as_json", AsJson, False), ("user", User, None)
_WHERE = (("stage", Stage, None), ("state", State, None))
screen_command = command(_screen, _JSON)
public_command = command(session, _JSON, *_WHERE)
user_command = command(session, _JSON, _USER, *_WHERE)


def register(app: typer.Typer) -> None:
    """Add the commands in the order people need them; `models` is a group, which others extend."""
    app.command(rich_help_panel="Jobs")(generate)
    app.command(rich_help_panel="Jobs")(estimate)
    for each in (jobs, show, watch, trace, callbacks):
        app.command(rich_help_panel="Jobs")(each)
    app.command("open", rich_help_panel="Jobs")(open_)
    for each in (cancel, download, delete):
        app.command(rich_help_panel="Jobs")(each)


def find_job_of(api: "Api", job: str) -> str:
    from cli.client.reference import find_job

    return find_job(api, job)


@public_command
def models(
    api: "Api",
    screen: "Screen",
    model: Annotated[
        str | None,
        typer.Argument(help="One of them, with its parameters.", autocompletion=MODELS),
    ] = None,
    *,
    media: Annotated[Media | None, typer.Option(help="Only these.")] = None,
) -> None:
    """What there is to generate with, what it costs and how long it takes."""
    from cli.client.models import models_command

    models_command(api, model, media, screen)


@user_command
def generate(  # noqa: PLR0913 - one argument an option
    api: "Api",
    screen: "Screen",
    model: ModelToRun,
    *,
    prompt: Prompt = None,
    parameter: Pairs = None,
    image: Files = None,
    audio: Files = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until it is done.")] = True,
    output: Output = None,
    timeout: Timeout = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where VSL tells the end of the job.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency-Key; otherwise each command has its own.")
    ] = None,
) -> None:
    """Make an image, a video or music.

    A command that got no answer may be repeated as it is: it does not pay twice.
    """
    from cli.client.generate import Afterwards, Request, generate_command

    request = Request(
        model_id=model,
        prompt=prompt,
        pairs=parameter or (),
        images=image or (),
        sounds=audio or (),
        callback_url=callback_url,
        key=key,
    )
    generate_command(api, request, Afterwards(wait, output, timeout), screen)


@user_command
def estimate(
    api: "Api",
    screen: "Screen",
    model: ModelToRun,
    *,
    prompt: Prompt = None,
    parameter: Pairs = None,
    image: Files = None,
    audio: Files = None,
) -> None:
    """What a job would cost and how long it would take; nothing is made."""
    from cli.client.estimate import estimate_command
    from cli.client.generate import Request

    request = Request(
        model_id=model,
        prompt=prompt,
        pairs=parameter or (),
        images=image or (),
        sounds=audio or (),
    )
    estimate_command(api, request, screen)


@user_command
def jobs(  # noqa: PLR0913 - one argument an option
    api: "Api",
    screen: "Screen",
    *,
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    media: Annotated[Media | None, typer.Option(help="Only these.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Only this model's.", autocompletion=MODELS)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="3h, 2d, today, yesterday, a day or an ISO time.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="The same.")] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="At most so many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on where a list ended.")] = None,
    all_users: Annotated[bool, typer.Option("--all-users", help="Not only one user's.")] = False,
    keep_watching: Annotated[
        bool, typer.Option("--watch", help="Until Ctrl-C, as they change.")
    ] = False,
) -> None:
    """List jobs, newest first."""
    from cli.client.job_list import Wanted, jobs_command, watch_command

    wanted = Wanted(
        status=status,
        media=media,
        model=model,
        since=since,
        until=until,
        limit=limit,
        cursor=cursor,
        all_users=all_users,
    )
    (watch_command if keep_watching else jobs_command)(api, wanted, screen)


@user_command
def show(api: "Api", screen: "Screen", job: Job = "last") -> None:
    """One job: how it stands, what it cost, where its files are."""
    from cli.client.jobs import show_command

    show_command(api, find_job_of(api, job), screen)


@user_command
def watch(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    output: Output = None,
    timeout: Timeout = None,
) -> None:
    """Follow a job to its end. Ctrl-C leaves it running."""
    from cli.client.generate import Afterwards, finish

    finish(api, find_job_of(api, job), Afterwards(True, output, timeout), screen)


@user_command
def trace(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    events: Annotated[bool, typer.Option("--events", help="Each mark and webhook, too.")] = False,
) -> None:
    """Where a job's time and money went, as a waterfall."""
    from cli.client.trace import trace_command

    trace_command(api, find_job_of(api, job), screen, events=events)


@user_command
def callbacks(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    replay: Annotated[bool, typer.Option("--replay", help="Call the client once more.")] = False,
    secret: Annotated[
        bool, typer.Option("--secret", help="Print what the user's client verifies calls with.")
    ] = False,
) -> None:
    """What came of telling a job's client (`generate --callback-url`) of its end."""
    from cli.client.callbacks import callbacks_command, replay_command, secret_command

    if secret:
        secret_command(api, screen)
    elif replay:
        replay_command(api, find_job_of(api, job), screen)
    else:
        callbacks_command(api, find_job_of(api, job), screen)


@user_command
def open_(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    file: Annotated[bool, typer.Option("--file", help="Its file instead.")] = False,
) -> None:
    """Open a job's page in the browser."""
    from cli.client.open_job import open_command

    open_command(api, find_job_of(api, job), screen, file=file)


@user_command
def cancel(api: "Api", screen: "Screen", job: Job) -> None:
    """Stop a job, at the provider too."""
    from cli.client.jobs import cancel_command

    cancel_command(api, find_job_of(api, job), screen)


@user_command
def download(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to.")] = Path(),
) -> None:
    """Fetch a job's files; goes on where an earlier download stopped, and checks what came."""
    from cli.client.jobs import download_command

    download_command(api, find_job_of(api, job), output, screen)


@user_command
def delete(
    api: "Api",
    screen: "Screen",
    job: Job,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a job that has ended, and its files. What it cost stays on record."""
    from cli.client.jobs import delete_command

    job_id = find_job_of(api, job)
    if not yes:
        screen.confirm(f"Remove the job {job_id} and its files for good?")
    delete_command(api, job_id, screen)
