"""`vsl open`: a job's page in the console, or its file, in the browser of this machine."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.client.commands import Job, user_command
from cli.client.follow import require_success
from cli.client.reference import find_job

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen


@user_command
def open_command(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    file: Annotated[bool, typer.Option("--file", help="Its file instead.")] = False,
) -> None:
    """Open a job's page in the browser."""
    import webbrowser

    job_id = find_job(api, job)
    status = api.status(job_id)
    address = f"{api.target.url}/console#/jobs/{job_id}"
    if file:
        require_success(status)
        address = status["outputs"][0]["originalUrl"]
    # The address is printed in any case: there may be no browser.
    opened = webbrowser.open(address)
    if screen.answer({"jobId": job_id, "url": address, "opened": opened}):
        return
    screen.line(address)
    if not opened:
        screen.say("There is no browser here: open the address in yours.", "dim")
