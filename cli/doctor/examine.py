"""All checks in their order, cures included, and the report."""

from collections.abc import Mapping
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from cli.doctor.bill import bill
from cli.doctor.findings import Check, Examined, Finding, Scope, at_stake
from cli.doctor.jobs import drift, stuck_jobs
from cli.doctor.money import balances, frozen_models, open_holds
from cli.doctor.objects import lost_objects, orphaned_objects
from cli.doctor.predictions import orphan_predictions
from cli.doctor.queues import given_up
from cli.doctor.reach import schema, secrets_in_force, webhook_endpoint
from cli.doctor.site import Site, SiteError
from vsl.domain.errors import VslError

# What later checks rest on comes first; without PostgreSQL there is nothing to compare.
CHECKS: dict[str, Check] = {
    "schema": schema,
    "secrets": secrets_in_force,
    "webhook endpoint": webhook_endpoint,
    "stuck jobs": stuck_jobs,
    "predictions without jobs": orphan_predictions,
    "jobs without objects": lost_objects,
    "objects without jobs": orphaned_objects,
    "drift between the stores": drift,
    "open holds": open_holds,
    "balances": balances,
    "frozen models": frozen_models,
    "messages given up": given_up,
}
# What `--bill` runs instead.
BILL: dict[str, Check] = {
    "schema": schema,
    "open holds": open_holds,
    "balances": balances,
    "bill": bill,
}


def examine(
    site: Site,
    scope: Scope,
    *,
    fix: bool,
    checks: Mapping[str, Check] | None = None,
) -> list[Examined]:
    """Run every check, or these; with `fix` every cure. One that fails is a finding and stops no other."""
    examined: list[Examined] = []
    for name, check in (CHECKS if checks is None else checks).items():
        scope.progress(name)
        found, broken = _findings(check, site, scope)
        examined += [_treat(each, fix=fix) for each in found]
        if broken is not None:
            what = f"could not be checked: {_reason(broken)}"
            examined.append(Examined(Finding(check=name, subject="-", what=what)))
        if name == "schema" and (found or broken):
            break
    return examined


def _findings(check: Check, site: Site, scope: Scope) -> tuple[list[Finding], Exception | None]:
    """What it found, until it broke: an unforeseen error is a finding, too."""
    found: list[Finding] = []
    try:
        found.extend(check(site, scope))
    except Exception as error:  # noqa: BLE001
        return found, error
    return found, None


def _treat(finding: Finding, *, fix: bool) -> Examined:
    if not fix or finding.cure is None:
        return Examined(finding)
    try:
        return Examined(finding, done=finding.cure())
    except Exception as error:  # noqa: BLE001 - it must not keep the other cures from being taken
        return Examined(finding, failed=_reason(error))


def _reason(error: Exception) -> str:
    known = isinstance(error, VslError | SiteError)
    return str(error) if known else f"{type(error).__name__}: {error}"


def show(examined: list[Examined], console: Console, *, fix: bool, checks: int) -> None:
    """A table of what was found, and what it is worth."""
    if not examined:
        console.print(f"[green]✓[/green] All well: {checks} checks, nothing found.")
        return
    table = Table("check", "what", "at stake", "cure", box=None, pad_edge=False)
    for each in examined:
        found = each.finding
        money = "" if found.money is None else f"${found.money:.4f}".rstrip("0").rstrip(".")
        table.add_row(
            found.check, f"[bold]{found.subject}[/bold]\n{found.what}", money, _cure(each)
        )
    console.print(table)
    still_open = [each for each in examined if each.open]
    if not still_open:
        console.print(f"[green]✓[/green] {len(examined)} findings, all put right.")
        return
    total = at_stake(examined)
    worth = f", [bold]${total.quantize(Decimal('0.0001'))}[/bold] at stake" if total else ""
    console.print(f"{len(still_open)} of {len(examined)} findings are open{worth}.")
    if not fix and any(each.finding.cure for each in still_open):
        console.print("`vsl doctor --fix` puts right what can be put right from here.")


def _cure(each: Examined) -> str:
    if each.done:
        return f"[green]{each.done}[/green]"
    if each.failed:
        return f"[red]{each.failed}[/red]"
    return each.finding.advice or "--fix"
