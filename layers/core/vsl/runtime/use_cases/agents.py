"""The use case of `services.compat` behind the tools of agents."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime.use_cases.admission import submit_job
from vsl.runtime.use_cases.api import cancel_job, get_model, list_models
from vsl.runtime.use_cases.money import estimate_job, get_budget
from vsl.runtime.use_cases.reading import wait_for_job

if TYPE_CHECKING:
    from vsl.domain.api.caller import Caller
    from vsl.domain.jobs.tracked_job import TrackedJob
    from vsl.services.compat.agent_jobs import AgentJobs


@cache
def agent_jobs() -> "AgentJobs":
    from vsl.services.compat.agent_jobs import AgentJobs

    return AgentJobs(
        list_models=list_models(),
        get_model=get_model(),
        estimate_job=estimate_job(),
        submit=submit_job(),
        wait=wait_for_job(),
        cancel_job=_cancel_job,
        get_budget=get_budget(),
    )


def _cancel_job(job_id: str, caller: "Caller") -> "TrackedJob":
    """Few agents cancel, and only this needs the provider."""
    return cancel_job()(job_id, caller)
