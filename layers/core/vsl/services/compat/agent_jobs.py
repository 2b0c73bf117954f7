"""What an agent does by its tools: it asks, makes jobs and cancels them, always as one user."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.domain.api.repetition import Repetition
from vsl.domain.compat.agent_arguments import Arguments
from vsl.domain.compat.agent_tools import TOOLS
from vsl.domain.compat.problems import problem_error
from vsl.domain.errors import InvalidRequest, UnpricedModel
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.admission.submit_job import SubmitJob
from vsl.services.reading.waited import Waited


@dataclass(frozen=True, slots=True)
class Agent:
    """`api` is how API Gateway was called, as SubmitJob takes it; `seconds` tells how long the client can
    still be kept waiting."""

    user_id: str
    request_id: str
    api: Mapping[str, str]
    seconds: Callable[[], float]
    repetition: Repetition = field(default_factory=Repetition)


@dataclass(frozen=True, slots=True)
class AgentJobs:
    """The fields are the use cases behind the API's own routes."""

    list_models: Callable[[], dict[str, Any]]
    get_model: Callable[[str], dict[str, Any]]
    estimate_job: Callable[[str, Mapping[str, Any], str], dict[str, Any]]
    submit: SubmitJob
    wait: Callable[[str, str, str, float], Waited]
    cancel_job: Callable[[str, Caller], TrackedJob]
    get_budget: Callable[[str], dict[str, Any]]

    def __call__(self, name: str, given: Mapping[str, Any], agent: Agent) -> dict[str, Any]:
        """The tool's answer. Raises KeyError for a tool that there is not, else what the API's routes
        raise."""
        arguments = Arguments(TOOLS[name], given)
        answers: Mapping[str, Callable[[Arguments, Agent], dict[str, Any]]] = {
            "list_models": lambda _arguments, _agent: self.list_models(),
            "describe_model": lambda arguments, _agent: self.get_model(arguments.text("modelId")),
            "estimate": self._estimate,
            "generate": self._generate,
            "get_job": lambda arguments, agent: self.job(
                arguments.text("jobId"), agent, arguments.wait_seconds()
            ),
            "cancel_job": lambda arguments, agent: self.cancel(arguments.text("jobId"), agent),
            "my_budget": lambda _arguments, agent: self.get_budget(agent.user_id),
        }
        return answers[name](arguments, agent)

    def job(self, job_id: str, agent: Agent, wait_seconds: int) -> dict[str, Any]:
        """The job as it stands after a wait, as GET /jobs/{jobId} shows it. Raises JobNotFound."""
        seconds = min(float(wait_seconds), agent.seconds())
        waited = self.wait(job_id, agent.user_id, agent.request_id, seconds)
        if waited.body is None:  # no place to wait
            waited = self.wait(job_id, agent.user_id, agent.request_id, 0)
        return waited.body or {}

    def cancel(self, job_id: str, agent: Agent) -> dict[str, Any]:
        item = self.cancel_job(job_id, Caller(named=agent.user_id))
        ended = item.status.terminal
        return {"jobId": job_id, "status": item.status.value, "cancelRequested": not ended}

    def _estimate(self, arguments: Arguments, agent: Agent) -> dict[str, Any]:
        return self.estimate_job(arguments.text("modelId"), arguments.job_body(), agent.user_id)

    def _generate(self, arguments: Arguments, agent: Agent) -> dict[str, Any]:
        """Raises InvalidRequest and UnpricedModel before anything is made, where it could cost too much."""
        model_id, body = arguments.text("modelId"), arguments.job_body()
        most, seconds, key = arguments.maximum_cost(), arguments.wait_seconds(), arguments.key()
        wanted = {name: value for name, value in body.items() if name != "metadata"}
        self._check_cost(self.estimate_job(model_id, wanted, agent.user_id), most)
        request = {"userId": agent.user_id, "modelId": model_id, **body}
        submitted = self.submit(request, key, agent.api, agent.repetition)
        if not submitted.accepted:
            raise problem_error(submitted.body)
        return self.job(str(submitted.body["jobId"]), agent, seconds)

    def _check_cost(self, estimated: Mapping[str, Any], most: Decimal) -> None:
        """By what is held for the job: it is the most that its user is charged with."""
        if estimated["estimatedCost"] is None:
            raise UnpricedModel(
                f"{estimated['modelId']} has no price: what it costs cannot be kept below a maximum.",
                modelId=estimated["modelId"],
            )
        held = Decimal(estimated["wouldHold"])
        if held > most:
            message = f"is {most}, and the job may cost {held}: nothing was made"
            raise InvalidRequest.of([("maximumCost", message)])
