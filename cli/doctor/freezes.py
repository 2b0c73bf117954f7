"""`vsl models unfreeze`: let a model take jobs again whose cost was not what it should be."""

from collections.abc import Mapping
from typing import Any

from cli.client.errors import CommandError, Exit
from cli.client.screen import Screen
from cli.doctor.site import SiteError, deployed_site, local_site
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.domain.errors import VslError
from vsl.domain.money.amounts import dollars


def unfreeze_command(
    document: Mapping[str, Any] | None, stage: str | None, model_id: str, screen: Screen
) -> None:
    """`document` describes a running local stack; else `stage` names a deployed one."""
    try:
        site = local_site(document) if document else deployed_site(str(stage))
        try:
            freezes = PostgresBudgets(site.postgres)
            frozen = {each.model_id: each for each in freezes.frozen()}
            gone = freezes.unfreeze(model_id)
        finally:
            site.close()
    except (SiteError, VslError) as error:
        message = error.message if isinstance(error, VslError) else str(error)
        raise CommandError("SiteUnreachable", message, Exit.FAILED) from error
    if not gone or model_id not in frozen:
        names = ", ".join(frozen) or "none is"
        raise CommandError(
            "NotFrozen", f"{model_id} is not frozen.", Exit.REFUSED, f"Frozen models: {names}."
        )
    was = frozen[model_id]
    if screen.answer(was.document()):
        return
    screen.say(
        f"{model_id} takes jobs again. It was frozen by job {was.job_id}, which cost"
        f" ${dollars(was.cost)} and was estimated at ${dollars(was.estimate)}."
    )
