"""`vsl keys`: keys of the API, made, listed and revoked."""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client.commands import JSON, WHERE, command, screen_of
from cli.client.errors import CommandError, Exit
from cli.client.formatting import table
from cli.client.invoked import InvokedKeys
from cli.client.target import one_target, resolve, stack_facts, valid_user
from cli.client.times import moment

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,6})([mhdw])")

type Keys = Api | InvokedKeys
"""The API, as the operator's key in VSL_API_KEY; of a stage without one, its functions."""

keys = typer.Typer(help="Keys of the API where ApiAuth is KEYS (operators).", no_args_is_help=True)


@contextmanager
def _session(
    *, as_json: bool, stage: str | None, state: Path | None
) -> "Iterator[tuple[Keys, Screen]]":
    with screen_of(as_json=as_json) as (screen,):
        one_target(state, stage)
        if stage is None and state is None and not os.environ.get("VSL_API_URL"):
            stage = os.environ.get("VSL_STAGE") or None
        if stage and not os.environ.get("VSL_API_KEY"):
            yield InvokedKeys(stage), screen
            return
        from cli.client.api import Api

        with Api(resolve(state, stage, None)) as api:
            yield api, screen


key_command = command(_session, JSON, *WHERE)


@keys.command()
@key_command
def create_command(
    api: "Keys",
    screen: "Screen",
    *,
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="Whose it is; it reaches that user's things.")
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="For a back end that may act for every user.")
    ] = False,
    project: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="12h, 30d, a day or a time.", show_default="never")
    ] = None,
    dedupe: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            help="Take equal requests within so many seconds for one.",
            show_default="never",
        ),
    ] = None,
) -> None:
    """Make a key, which is shown this once.

    Of a stage without VSL_API_KEY it is made with AWS credentials: so comes the first one.
    """
    if operator == bool(user):
        message = "--user USER makes a user's key, --operator one for a back end."
        raise CommandError("WhoseKey", message, Exit.REFUSED, "Give one of them.")
    body = {
        "userId": valid_user(user) if user else None,
        "project": project,
        "dedupeSeconds": dedupe,
        **_expiry(expires),
    }
    wanted = {name: value for name, value in body.items() if value is not None}
    made = api.create_key(wanted, uuid.uuid4().hex)
    if isinstance(api, InvokedKeys):
        mode = stack_facts(api.stage)[1].get("ApiAuth", "API_KEY")
        if mode != "KEYS":
            screen.say(f"It opens nothing before ApiAuth is KEYS: now it is {mode}.", "yellow")
    if screen.answer(made):
        return
    whose = f"of {made['userId']}" if made["userId"] else "of an operator"
    until = f"until {made['expiresAt']}" if made["expiresAt"] else "until it is revoked"
    screen.say(f"The key {whose}, good {until}. It is shown this once:")
    screen.line(made["key"])


@keys.command()
@key_command
def list_command(
    api: "Keys",
    screen: "Screen",
    *,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
) -> None:
    """Keys, newest first; those that ended are listed for 30 days more."""
    found = sorted(_every_key(api, user), key=lambda each: str(each["createdAt"]), reverse=True)
    if screen.answer({"keys": found}):
        return
    if not found:
        screen.say("No keys.")
        return
    names = ("id", "user", "project", "status", "made", "expires")
    shown = table(*names, pad_edge=True)
    for each in found:
        owner = each["userId"] or "(operator)"
        ends = each["expiresAt"] or "never"
        row = (each["keyId"], owner, each["project"] or "", each["status"], each["createdAt"], ends)
        shown.add_row(*row)
    screen.out.print(shown)


def _every_key(api: Keys, user: str | None) -> Iterator[dict[str, Any]]:
    """Over as many pages as it takes."""
    cursor = None
    while True:
        page = api.keys(owner=user, cursor=cursor)
        yield from page["keys"]
        cursor = page["nextCursor"]
        if cursor is None:
            return


@keys.command()
@key_command
def revoke_command(
    api: "Keys",
    screen: "Screen",
    key: Annotated[str, typer.Argument(metavar="ID", help="Of the key; `vsl keys list` has it.")],
) -> None:
    """Take a key back for good."""
    # The whole key will do, as one has it.
    key_id = key.split("_")[1] if key.startswith("vsl_") else key
    api.revoke_key(key_id)
    screen.answer({"keyId": key_id, "revoked": True})
    screen.say(f"{key_id} opens nothing any more, after 30 seconds at most.")


def _expiry(text: str | None) -> dict[str, Any]:
    """`30d` goes by the API's clock; a day or a time is one. Raises CommandError."""
    if text is None:
        return {}
    span = _SPAN.fullmatch(text.strip())
    if span:
        return {"expiresIn": int(span[1]) * _SECONDS[span[2]]}
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        message = f"--expires: {text!r} is no time to come."
        hint = "Give 12h, 30d, 52w, a day such as 2027-01-31 or a time with its zone."
        raise CommandError("InvalidTime", message, Exit.REFUSED, hint) from None
    return {"expiresAt": moment("--expires", text, datetime.now(UTC))}
