"""`vsl callbacks`: what came of telling the client of a job's end, and telling it once more."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client.commands import Job, user_command
from cli.client.errors import CommandError
from cli.client.formatting import ago, plain, seconds, table
from cli.client.reference import find_job

if TYPE_CHECKING:
    from rich.table import Table

    from cli.client.api import Api
    from cli.client.screen import Screen

_NO_CLIENT = "`vsl generate --callback-url` names a client."
_WHY_NOT = {"NoCallbackUrl": _NO_CLIENT, "JobNotEnded": "`vsl watch JOB` waits for its end."}
_STYLES = {"delivered": "green", "failed": "yellow", "exhausted": "red", "gone": "red"}


@user_command
def callbacks_command(
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
    if secret:
        _print_secret(api, screen)
    elif replay:
        _replay(api, find_job(api, job), screen)
    else:
        _show(api, find_job(api, job), screen)


def _show(api: "Api", job_id: str, screen: "Screen") -> None:
    found = api.callbacks(job_id)
    if screen.answer(found):
        return
    if found["callbackUrl"] is None:
        screen.say(f"The job {job_id} has no callback address: {_NO_CLIENT}")
    else:
        screen.line(found["callbackUrl"])
        if found["attempts"]:
            screen.out.print(_table(found["attempts"], datetime.now(UTC)))
        else:
            screen.say("No call has been made yet: it follows the end of the job.")


def _replay(api: "Api", job_id: str, screen: "Screen") -> None:
    """Raises CommandError for a job that has not ended or has no callbackUrl."""
    try:
        asked = api.replay_callback(job_id)
    except CommandError as error:
        error.hint = _WHY_NOT.get(error.code, error.hint)
        raise
    if screen.answer(asked):
        return
    command = api.target.command(f"callbacks {job_id}")
    screen.say(f"Another call is on its way; `{command}` shows what came of it.")


def _print_secret(api: "Api", screen: "Screen") -> None:
    """The secret alone on stdout, for a variable of the shell."""
    found = api.webhook_secret()
    if screen.answer(found):
        return
    screen.line(found["secret"])
    if found["previous"]:
        screen.say(f"While it is rotated also: {', '.join(found['previous'])}", "dim")


def _table(attempts: list[dict[str, Any]], now: datetime) -> "Table":
    from rich.text import Text

    names = ("when", "attempt", "outcome", "answer", "took", "next")
    shown = table(*names, pad_edge=True)
    for attempt in attempts:
        outcome = str(attempt["outcome"])
        shown.add_row(
            ago(attempt["at"], now),
            f"{attempt['attempt']}{'' if attempt['deliveryId'] == 'end' else ', asked for'}",
            Text(outcome, _STYLES.get(outcome, "")),
            Text(plain(_answer(attempt))),
            seconds(attempt["durationMs"] / 1000),
            str(attempt["nextAttemptAt"] or ""),
        )
    return shown


def _answer(attempt: Mapping[str, Any]) -> str:
    parts = (attempt["statusCode"], attempt["error"], attempt["response"])
    return ", ".join(str(part) for part in parts if part)
