"""What `vsl up` and `vsl deploy` do and show."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.panel import Panel

from devstack.background import start_in_background
from devstack.deploy import Deployer, DeploymentFailedError
from devstack.engine import EngineFailedError
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
    deploy_options,
)
from devstack.template import TemplateError

_FAILURES = (
    AlreadyRunningError,
    DeploymentFailedError,
    EngineFailedError,
    EnvironmentFailedError,
    SamFailedError,
    ServerError,
    StackFailedError,
    TemplateError,
    UnresolvedError,
)


def up_command(options: UpOptions, *, detach: bool, as_json: bool, console: Console) -> None:
    """Start, or say what runs already. Exits with 1 and the reason when the stack cannot start."""
    document = running_stack(options.state)
    if document is not None:
        if not as_json:
            console.print(f"[yellow]Already running[/yellow] in {options.state.root}.")
        _announce(document, options.state, as_json=as_json, console=console)
        return
    with failures_shown(console):
        if detach:
            document = start_detached(options, console, quiet=as_json)
            _announce(document, options.state, as_json=as_json, console=console)
        else:
            _run_here(options, as_json=as_json, console=console)


def start_detached(options: UpOptions, console: Console, *, quiet: bool) -> dict[str, Any]:
    """The document of the stack, once it runs in the background. Raises StackFailedError."""
    with console.status("Starting …") as status:
        if quiet:
            status.stop()
        for event in start_in_background(options):
            if isinstance(event, dict):
                return event
            if not quiet:
                console.print(_line(event))
    raise StackFailedError("The supervisor said nothing.")


def deploy_command(
    document: dict[str, Any], state: StateFolder, console: Console, *, as_json: bool
) -> None:
    began = time.monotonic()
    build = document["build"]
    options = UpOptions(
        state=state, parameters=document["parameters"], build=None if build is None else Path(build)
    )
    with failures_shown(console):
        deployment = Deployer(
            deploy_options(
                options,
                engine_url=document["awsEndpointUrl"],
                api_url=document["apiUrl"],
                replicate_url=document["replicateUrl"],
                secrets_by_name={
                    "database-url": document["databaseUrl"],
                    "redis-url": document["redisUrl"],
                    "replicate-token": document["replicateToken"],
                    "replicate-webhook-secret": document["webhookSecret"],
                    "callback-signing-secret": document["callbackSecret"],
                },
            )
        ).deploy()
    seconds = time.monotonic() - began
    if as_json:
        print(json.dumps({"functions": len(deployment.functions), "seconds": round(seconds, 1)}))
        return
    console.print(f"Deployed {len(deployment.functions)} functions in {seconds:.1f} s.")


def _run_here(options: UpOptions, *, as_json: bool, console: Console) -> None:
    def report(progress: Progress) -> None:
        if not as_json:
            console.print(_line(progress))

    def ready(document: dict[str, Any]) -> None:
        _announce(document, options.state, as_json=as_json, console=console)
        if not as_json:
            console.print("Ctrl-C stops it.")

    Supervisor(options, report).run(ready)
    if not as_json:
        console.print("Stopped.")


def _line(progress: Progress) -> str:
    return f"[green]✓[/green] {progress.part} [dim]{progress.seconds:.1f} s[/dim]"


def _announce(
    document: dict[str, Any], state: StateFolder, *, as_json: bool, console: Console
) -> None:
    if as_json:
        print(json.dumps(document), flush=True)
        return
    api = document["apiUrl"]
    flag = "" if state == StateFolder.at(None) else f" --state {state.root}"
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
    if auth["mode"] == "COGNITO":
        return f' \\\n  -H "Authorization: $({program()} token me{flag})"'
    if auth["mode"] == "IAM":
        scope = f"aws:amz:{auth['region']}:{auth['service']}"
        user = f"{auth['accessKeyId']}:{auth['secretAccessKey']}"
        return f" \\\n  --aws-sigv4 '{scope}' --user '{user}'"
    return ""


@contextmanager
def failures_shown(console: Console) -> Iterator[None]:
    """Expected failures as text instead of a traceback; the exit code is 1."""
    try:
        yield
    except _FAILURES as error:
        console.print(f"[red]{type(error).__name__}[/red]")
        console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
