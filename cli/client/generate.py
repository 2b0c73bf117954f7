"""`vsl generate`: one job from the command line to its files, paid for once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client.commands import (
    Files,
    Job,
    ModelToRun,
    Output,
    Pairs,
    Prompt,
    Timeout,
    user_command,
)
from cli.client.errors import CommandError, Exit
from cli.client.follow import follow, require_success
from cli.client.formatting import dollars, queued, seconds
from cli.client.inputs import identity, read_parameters, sent
from cli.client.intents import Intent, intent
from cli.client.jobs import download_shown, print_files
from cli.client.reference import find_job

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen


@user_command
def generate_command(  # noqa: PLR0913 - one argument an option
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
    described = api.model(model)
    parameters = read_parameters(
        described, prompt=prompt, pairs=parameter, images=image, sounds=audio
    )
    body = {**api.as_user(), "modelId": model}
    if callback_url:
        body["callbackUrl"] = callback_url
    if key:
        accepted = api.generate({**body, "parameters": sent(api, described, parameters)}, key)
    else:
        accepted = _submit(api, body, described, parameters, screen)
    job_id = str(accepted["jobId"])
    screen.say(
        f"{model}: about {seconds(accepted['estimatedTime'])}, "
        f"{dollars(accepted['estimatedCost'])}  (job {job_id})"
    )
    if place := queued(accepted, datetime.now(UTC)):
        screen.say(place, "dim")
    if wait:
        _finish(api, job_id, screen, output, timeout)
        return
    screen.say(f"`{api.target.command(f'watch {job_id}')}` waits for it.", "dim")
    screen.answer(accepted)


@user_command
def watch_command(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    output: Output = None,
    timeout: Timeout = None,
) -> None:
    """Follow a job to its end. Ctrl-C leaves it running."""
    _finish(api, find_job(api, job), screen, output, timeout)


def _finish(
    api: "Api", job_id: str, screen: "Screen", output: Path | None, timeout: float | None
) -> None:
    """Wait, fetch, show. Raises CommandError for a job that did not succeed."""
    status = follow(api, job_id, screen, timeout=timeout)
    require_success(status)
    files = [] if output is None else download_shown(api, status, output, screen)
    if screen.answer({**status, "files": files} if output else status):
        return
    print_files(api, status, files, screen)


def _submit(
    api: "Api",
    body: Mapping[str, Any],
    model: Mapping[str, Any],
    parameters: Mapping[str, Any],
    screen: "Screen",
) -> dict[str, Any]:
    """The API's answer to the accepted job. Raises CommandError."""
    try:
        note = intent(api.target.url, body, identity(parameters))
    except OSError as error:
        message = f"The request cannot be written down before it is sent: {error}"
        hint = "Make the folder writable, set XDG_STATE_HOME, or give --key yourself."
        raise CommandError("IntentNotWritten", message, Exit.FAILED, hint) from error
    if note.repeated:
        screen.say("An earlier attempt got no answer: repeating it with the same key.", "yellow")
    try:
        if note.body is None:
            note.write({**body, "parameters": sent(api, model, parameters)})
        return _sent_once(api, note)
    finally:
        note.release()


def _sent_once(api: "Api", note: Intent) -> dict[str, Any]:
    """The note stays while the outcome of the request is unknown."""
    try:
        accepted = api.generate(note.body or {}, note.key)
    except CommandError as error:
        if error.exit_code != Exit.UNAVAILABLE and error.code != "RequestInProgress":
            note.settle()
        else:
            error.hint = f"Run the same command again: it cannot pay twice. {error.hint}".strip()
        raise
    except KeyboardInterrupt:
        message = "Interrupted before the answer came: the job may exist."
        hint = "Run the same command again: it cannot pay twice. `vsl jobs` tells whether it does."
        raise CommandError("Interrupted", message, Exit.INTERRUPTED, hint) from None
    note.settle()
    return accepted
