"""How a command that calls the API is declared: options that several take, and what opens before it runs.

The modules beside this one hold the commands. `--help` reads them all, so that it is quick they import
what is slow to load where it is used.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen


def state_option(what: str, panel: str | None = None) -> Any:
    return typer.Option(
        "--state", help=what, show_default=".vsl", file_okay=False, rich_help_panel=panel
    )


State = Annotated[Path | None, state_option("Folder of a local stack.", "Where")]
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


def command(
    opened: Callable[..., AbstractContextManager[tuple[Any, ...]]], *options: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator: the command has `options` besides those that the function lists, and its name without
    `_command`.

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
        run.__name__ = function.__name__.removesuffix("_command")
        run.__doc__ = function.__doc__
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate


@contextmanager
def screen_of(*, as_json: bool) -> "Iterator[tuple[Screen]]":
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
    with screen_of(as_json=as_json) as (screen,):
        from cli.client.api import Api
        from cli.client.target import resolve

        with Api(resolve(state, stage, user)) as api:
            yield api, screen


JSON, _USER = ("as_json", AsJson, False), ("user", User, None)
WHERE = (("stage", Stage, None), ("state", State, None))
screen_command = command(screen_of, JSON)
public_command = command(session, JSON, *WHERE)
user_command = command(session, JSON, _USER, *WHERE)
