"""What `vsl up` and `vsl deploy` do and show."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.panel import Panel

from devstack.background import start_in_background
from devstack.child import ChildFailedError
from devstack.deploy import Deployer, DeploymentFailedError
from devstack.environments import EnvironmentFailedError
from devstack.intrinsics import UnresolvedError
from devstack.paths import StateFolder, program
from devstack.sam import SamFailedError
from devstack.servers import ServerError
from devstack.stack import running_stack
from devstack.supervisor import (
    AlreadyRunningError,
    Progress,
    StackFailedError,
    Supervisor,
    UpOptions,
)
from devstack.template import TemplateError

_FAILURES = (
    AlreadyRunningError,
    ChildFailedError,
    DeploymentFailedError,
    EnvironmentFailedError,
    SamFailedError,
    ServerError,
    StackFailedError,
    TemplateError,
    UnresolvedError,
)


def up_command(options: UpOptions, *, detach: bool, console: Console) -> None:
    """Start, or say what runs already. Exits with 1 and the reason when the stack cannot start.

    A quiet console (`--json`) gets the document of the stack alone, on stdout.
    """
    document = running_stack(options.state)
    if document is not None:
        console.print(f"[yellow]Already running[/yellow] in {options.state.root}.")
        _announce(document, console)
        return
    with failures_shown():
        if detach:
            _announce(start_detached(options, console), console)
            return

        def ready(document: dict[str, Any]) -> None:
            _announce(document, console)
            console.print("Ctrl-C stops it.")

        Supervisor(options, lambda progress: console.print(_line(progress))).run(ready)
        console.print("Stopped.")


def start_detached(options: UpOptions, console: Console) -> dict[str, Any]:
    """The document of the stack, once it runs in the background. Raises StackFailedError."""
    with console.status("Starting …"):
        for event in start_in_background(options):
            if isinstance(event, dict):
                return event
            console.print(_line(event))
    raise StackFailedError("The supervisor sent nothing.")


def deploy_command(document: dict[str, Any], console: Console) -> None:
    began = time.monotonic()
    with failures_shown():
        functions = Deployer(document).deploy()["functions"]
    seconds = time.monotonic() - began
    if console.quiet:
        print(json.dumps({"functions": len(functions), "seconds": round(seconds, 1)}))
    console.print(f"Deployed {len(functions)} functions in {seconds:.1f} s.")


def _line(progress: Progress) -> str:
    return f"[green]✓[/green] {progress.part} [dim]{progress.seconds:.1f} s[/dim]"


def _announce(document: dict[str, Any], console: Console) -> None:
    if console.quiet:
        print(json.dumps(document), flush=True)
        return
    api = document["apiUrl"]
    state = document["state"]
    flag = "" if state == str(StateFolder.at(None).root) else f" --state {state}"
    body = '{"userId":"me","modelId":"flux-schnell","parameters":{"prompt":"a lighthouse"}}'
    console.print(
        Panel(
            f"[bold]API[/bold]        {api}\n"
            f"[bold]Console[/bold]    {api}/console\n"
            f"[bold]Replicate[/bold]  {document['replicateUrl']} (stand-in)\n"
            f"[bold]AWS[/bold]        {document['awsEndpointUrl']}\n"
            f"[bold]Database[/bold]   {document['databaseUrl']}\n"
            f"[bold]Logs[/bold]       {program()} logs --follow{flag}\n\n"
            "Make an image, then ask for it by its statusUrl:",
            title="VSL is running",
            expand=False,
        )
    )
    console.print(
        f"curl -s {api}/generate-media -H 'Content-Type: application/json'"
        f"{_credentials(document['auth'], flag)} \\\n  -d '{body}'\n",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def _credentials(auth: dict[str, str], flag: str) -> str:
    """What curl needs besides, to be let in."""
    if auth["mode"] == "API_KEY":
        return f" \\\n  -H 'x-api-key: {auth['apiKey']}'"
    if auth["mode"] == "KEYS":
        return f" \\\n  -H 'Authorization: Bearer {auth['userKey']}'"
    if auth["mode"] == "COGNITO":
        return f' \\\n  -H "Authorization: $({program()} token me{flag})"'
    if auth["mode"] == "IAM":
        scope = f"aws:amz:{auth['region']}:{auth['service']}"
        user = f"{auth['accessKeyId']}:{auth['secretAccessKey']}"
        return f" \\\n  --aws-sigv4 '{scope}' --user '{user}'"
    return ""


@contextmanager
def failures_shown() -> Iterator[None]:
    """Expected failures as text instead of a traceback; the exit code is 1."""
    try:
        yield
    except _FAILURES as error:
        console = Console(stderr=True)
        console.print(f"[red]{type(error).__name__}[/red]")
        console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
