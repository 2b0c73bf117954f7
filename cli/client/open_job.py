"""`vsl open`: a job's page in the console, or its file, in the browser of this machine."""

import webbrowser

from cli.client.api import Api
from cli.client.follow import require_success
from cli.client.screen import Screen


def open_command(api: Api, job_id: str, screen: Screen, *, file: bool) -> None:
    """The address is printed in any case: there may be no browser. Raises CommandError."""
    status = api.status(job_id)
    address = f"{api.target.url}/console#/jobs/{job_id}"
    if file:
        require_success(status)
        address = str(status["result"]["originalUrl"])
    opened = webbrowser.open(address)
    if screen.as_json:
        screen.answer({"jobId": job_id, "url": address, "opened": opened})
        return
    screen.line(address)
    if not opened:
        screen.say("There is no browser here: open the address in yours.", "dim")
