"""`vsl keys`: keys of the API, made, listed and revoked."""

import os
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from cli.client.api import Api
from cli.client.errors import CommandError, Exit
from cli.client.invoked import InvokedKeys
from cli.client.screen import Screen
from cli.client.target import one_target, resolve, stack_facts, valid_user
from cli.client.times import moment

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,6})([mhdw])")


class Keys(Protocol):
    def create_key(self, body: Mapping[str, Any], key: str) -> dict[str, Any]: ...

    def keys(self, **query: str | int | None) -> dict[str, Any]: ...

    def revoke_key(self, key_id: str) -> None: ...


@contextmanager
def opened(stage: str | None, state: Path | None) -> Iterator[Keys]:
    """The API, as the operator's key in VSL_API_KEY; of a stage without one, its functions. Raises
    CommandError."""
    one_target(state, stage)
    if stage is None and state is None and not os.environ.get("VSL_API_URL"):
        stage = os.environ.get("VSL_STAGE") or None
    if stage and not os.environ.get("VSL_API_KEY"):
        yield InvokedKeys(stage)
        return
    with Api(resolve(state, stage, None)) as api:
        yield api


@dataclass(frozen=True, slots=True)
class Wish:
    """`user` None: an operator's key. `dedupe` in seconds."""

    user: str | None
    project: str | None
    expires: str | None
    dedupe: int | None


def create_command(keys: Keys, wish: Wish, screen: Screen) -> None:
    """Raises CommandError."""
    body = {
        "userId": valid_user(wish.user) if wish.user else None,
        "project": wish.project,
        "dedupeSeconds": wish.dedupe,
        **_expiry(wish.expires),
    }
    wanted = {name: value for name, value in body.items() if value is not None}
    made = keys.create_key(wanted, uuid.uuid4().hex)
    if isinstance(keys, InvokedKeys):
        mode = stack_facts(keys.stage)[1].get("ApiAuth", "API_KEY")
        if mode != "KEYS":
            screen.say(f"It opens nothing before ApiAuth is KEYS: now it is {mode}.", "yellow")
    if screen.as_json:
        screen.answer(made)
        return
    whose = f"of {made['userId']}" if made["userId"] else "of an operator"
    until = f"until {made['expiresAt']}" if made["expiresAt"] else "until it is revoked"
    screen.say(f"The key {whose}, good {until}. It is shown this once:")
    screen.line(made["key"])


def list_command(keys: Keys, user: str | None, screen: Screen) -> None:
    found = sorted(every_key(keys, user), key=lambda each: str(each["createdAt"]), reverse=True)
    if screen.as_json:
        screen.answer({"keys": found})
        return
    if not found:
        screen.say("No keys.")
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("id", "user", "project", "status", "made", "expires", box=SIMPLE_HEAD)
    for each in found:
        owner = each["userId"] or "(operator)"
        ends = each["expiresAt"] or "never"
        row = (each["keyId"], owner, each["project"] or "", each["status"], each["createdAt"], ends)
        table.add_row(*row)
    screen.out.print(table)


def every_key(keys: Keys, user: str | None) -> Iterator[dict[str, Any]]:
    """Over as many pages as it takes."""
    cursor = None
    while True:
        page = keys.keys(owner=user, cursor=cursor)
        yield from page["keys"]
        cursor = page["nextCursor"]
        if cursor is None:
            return


def revoke_command(keys: Keys, key: str, screen: Screen) -> None:
    """By its id, or by the whole key as one has it. Raises CommandError."""
    key_id = key.split("_")[1] if key.startswith("vsl_") else key
    keys.revoke_key(key_id)
    if screen.as_json:
        screen.answer({"keyId": key_id, "revoked": True})
    else:
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
