"""`vsl generate`: one job from the command line to its files, paid for once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.client.api import Api
from cli.client.errors import CommandError, Exit
from cli.client.follow import follow, require_success
from cli.client.formatting import dollars, queued, seconds
from cli.client.inputs import identity, read_parameters, sent
from cli.client.intents import Intent, intent
from cli.client.jobs import download_shown, print_files
from cli.client.screen import Screen


@dataclass(frozen=True, slots=True)
class Request:
    """What was given on the command line."""

    model_id: str
    prompt: str | None = None
    pairs: Sequence[str] = ()
    images: Sequence[str] = ()
    sounds: Sequence[str] = ()
    callback_url: str | None = None
    key: str | None = None

    def parameters(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """As the model's document names them. Raises CommandError."""
        return read_parameters(
            model,
            prompt=self.prompt,
            pairs=self.pairs,
            images=self.images,
            sounds=self.sounds,
        )


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What to do once the job is accepted; `timeout` in seconds."""

    wait: bool = True
    output: Path | None = None
    timeout: float | None = None


def generate_command(api: Api, request: Request, then: Afterwards, screen: Screen) -> None:
    accepted = submit(api, request, screen)
    job_id = str(accepted["jobId"])
    screen.say(
        f"{request.model_id}: about {seconds(accepted['estimatedTime'])}, "
        f"{dollars(accepted['estimatedCost'])}  (job {job_id})"
    )
    if place := queued(accepted, datetime.now(UTC)):
        screen.say(place, "dim")
    if not then.wait:
        screen.say(f"`{api.target.command(f'watch {job_id}')}` waits for it.", "dim")
        if screen.as_json:
            screen.answer(accepted)
        return
    finish(api, job_id, then, screen)


def finish(api: Api, job_id: str, then: Afterwards, screen: Screen) -> None:
    """Wait, fetch, show. Raises CommandError for a job that did not succeed."""
    status = follow(api, job_id, screen, timeout=then.timeout)
    require_success(status)
    files = [] if then.output is None else download_shown(api, status, then.output, screen)
    if screen.as_json:
        screen.answer({**status, "files": files} if then.output else status)
        return
    print_files(api, status, files, screen)


def submit(api: Api, request: Request, screen: Screen) -> dict[str, Any]:
    """The API's answer to the accepted job. Raises CommandError."""
    model = api.model(request.model_id)
    parameters = request.parameters(model)
    body: dict[str, Any] = {**api.as_user(), "modelId": request.model_id}
    if request.callback_url:
        body["callbackUrl"] = request.callback_url
    if request.key:
        return api.generate({**body, "parameters": sent(api, model, parameters)}, request.key)
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


def _sent_once(api: Api, note: Intent) -> dict[str, Any]:
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
