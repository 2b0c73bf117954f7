"""What `vsl doctor` does and shows."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Console

from cli.doctor.examine import BILL, CHECKS, examine, show
from cli.doctor.findings import Scope, at_stake
from cli.doctor.site import SiteError, deployed_site, local_site


def doctor_command(
    document: Mapping[str, Any] | None,
    stage: str | None,
    *,
    fix: bool,
    bill: bool,
    days: int,
    limit: int,
    as_json: bool,
    console: Console,
) -> int:
    """`document` describes a running local stack; else `stage` names a deployed one."""
    try:
        site = local_site(document) if document else deployed_site(str(stage))
    except SiteError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    checks = BILL if bill else CHECKS
    with console.status("Looking …") as spinner:

        def say(what: str) -> None:
            spinner.update(f"Looking at {what} …")

        scope = Scope(timedelta(days=days), limit, progress=say)
        examined = examine(site, scope, fix=fix, checks=checks)
    site.close()
    still_open = [each for each in examined if each.open]
    if as_json:
        report = {
            "findings": [each.document() for each in examined],
            "open": len(still_open),
            "atStake": float(at_stake(examined)),
        }
        print(json.dumps(report))
    else:
        show(examined, console, fix=fix, checks=len(checks))
    return 1 if still_open else 0
