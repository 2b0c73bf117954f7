"""The words of the commands that speak to the API; what they do is in the modules beside."""

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devstack.client.api import Api
    from devstack.client.screen import Screen

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
        "--user", help="Whose jobs.", show_default="VSL_USER, the login", rich_help_panel="Where"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def _complete(what: str) -> "Callable[[typer.Context, str], list[tuple[str, str]]]":
    """What the Tab key offers there, imported when it is pressed."""

    def offer(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        from devstack.client import completion

        found: list[tuple[str, str]] = getattr(completion, what)(context.params, incomplete)
        return found

    return offer


MODELS, JOBS = _complete("model_ids"), _complete("job_ids")
Job = Annotated[
    str,
    typer.Argument(help="An id, the first characters of one, or `last`.", autocompletion=JOBS),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Download the files there.")]
Timeout = Annotated[
    float | None, typer.Option(min=0, help="Seconds to wait at most; the job goes on.")
]


class Media(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Status(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    STORING = "storing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


def register(app: typer.Typer) -> None:
    """Add the commands in the order people need them."""
    panel = "Jobs"
    for command in (
        models,
        generate,
        jobs,
        show,
        watch,
        trace,
        callbacks,
        cancel,
        download,
        delete,
    ):
        app.command(rich_help_panel=panel)(command)


@contextmanager
def session(
    state: Path | None, stage: str | None, user: str | None, *, as_json: bool
) -> "Iterator[tuple[Api, Screen]]":
    """An open client and a screen; errors become words and an exit code."""
    from devstack.client.screen import Screen

    screen = Screen(as_json)
    with screen.errors():
        from devstack.client.api import Api
        from devstack.client.target import resolve

        with Api(resolve(state, stage, user)) as api:
            yield api, screen


def models(
    model: Annotated[
        str | None,
        typer.Argument(help="One of them, with its parameters.", autocompletion=MODELS),
    ] = None,
    *,
    media: Annotated[Media | None, typer.Option(help="Only these.")] = None,
    as_json: AsJson = False,
    stage: Stage = None,
    state: State = None,
) -> None:
    """What there is to generate with, what it costs and how long it takes."""
    with session(state, stage, None, as_json=as_json) as (api, screen):
        from devstack.client.models import models_command

        models_command(api, model, media.value if media else None, screen)


def generate(  # noqa: PLR0913 - one argument an option
    model: Annotated[str, typer.Argument(help="`vsl models` lists them.", autocompletion=MODELS)],
    *,
    prompt: Annotated[str | None, typer.Option("--prompt", help="What to make.")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", help="NAME=VALUE, or NAME=@FILE; repeatable."),
    ] = None,
    image: Annotated[
        list[str] | None, typer.Option("--image", help="A file or address; repeatable.")
    ] = None,
    audio: Annotated[
        list[str] | None, typer.Option("--audio", help="A file or address; repeatable.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until it is done.")] = True,
    output: Output = None,
    timeout: Timeout = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where VSL tells the end of the job.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency-Key; otherwise each command has its own.")
    ] = None,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """Make an image, a video or music.

    A command that got no answer may be repeated as it is: it does not pay twice.
    """
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.generate import Afterwards, Request, generate_command

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


def jobs(  # noqa: PLR0913 - one argument an option
    *,
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    media: Annotated[Media | None, typer.Option(help="Only these.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Only this model's.", autocompletion=MODELS)
    ] = None,
    since: Annotated[str | None, typer.Option(help="3h, 2d or an ISO time.")] = None,
    until: Annotated[str | None, typer.Option(help="3h, 2d or an ISO time.")] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="At most so many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on where a list ended.")] = None,
    everybody: Annotated[bool, typer.Option("--all-users", help="Not only one user's.")] = False,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """List jobs, newest first."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.jobs import Wanted, jobs_command

        wanted = Wanted(
            status=status.value if status else None,
            media=media.value if media else None,
            model=model,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
            everybody=everybody,
        )
        jobs_command(api, wanted, screen)


def show(
    job: Job = "last",
    *,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """One job: how it stands, what it cost, where its files are."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.jobs import show_command
        from devstack.client.reference import find_job

        show_command(api, find_job(api, job), screen)


def watch(
    job: Job = "last",
    *,
    output: Output = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """Follow a job to its end. Ctrl-C leaves it running."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.generate import Afterwards, finish
        from devstack.client.reference import find_job

        finish(api, find_job(api, job), Afterwards(True, output, timeout), screen)


def trace(
    job: Job = "last",
    *,
    events: Annotated[bool, typer.Option("--events", help="Each mark and webhook, too.")] = False,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """Where a job's time and money went, as a waterfall."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.reference import find_job
        from devstack.client.trace import trace_command

        trace_command(api, find_job(api, job), screen, events=events)


def callbacks(
    job: Job = "last",
    *,
    replay: Annotated[bool, typer.Option("--replay", help="Call the client once more.")] = False,
    secret: Annotated[
        bool, typer.Option("--secret", help="Print what the user's client verifies calls with.")
    ] = False,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """What came of telling a job's client (`generate --callback-url`) of its end."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.callbacks import callbacks_command, replay_command, secret_command
        from devstack.client.reference import find_job

        if secret:
            secret_command(api, screen)
        elif replay:
            replay_command(api, find_job(api, job), screen)
        else:
            callbacks_command(api, find_job(api, job), screen)


def cancel(
    job: Job,
    *,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """Stop a job, at the provider too."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.jobs import cancel_command
        from devstack.client.reference import find_job

        cancel_command(api, find_job(api, job), screen)


def download(
    job: Job = "last",
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to.")] = Path(),
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """Fetch a job's files; goes on where an earlier download stopped, and checks what came."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.jobs import download_command
        from devstack.client.reference import find_job

        download_command(api, find_job(api, job), output, screen)


def delete(
    job: Job,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """Remove a job that has ended, and its files. What it cost stays in the books."""
    with session(state, stage, user, as_json=as_json) as (api, screen):
        from devstack.client.jobs import delete_command
        from devstack.client.reference import find_job

        job_id = find_job(api, job)
        if not yes:
            screen.confirm(f"Remove the job {job_id} and its files for good?")
        delete_command(api, job_id, screen)
