"""POST /mcp: an agent's message, and what the tools answer it."""

from collections.abc import Callable
from typing import Any

import mcp_types as mcp

from vsl.domain.compat.agent_tools import TOOLS
from vsl.domain.errors import Forbidden, InternalError, InvalidRequest, JobNotFound, VslError
from vsl.domain.jobs.job import JobStatus
from vsl.runtime.body import json_body
from vsl.runtime.compat_caller import compat_user, gateway, repetition
from vsl.runtime.handler import Context, Event, Response, answer, header, without_body
from vsl.runtime.mcp_protocol import Answer, Server, invalid_params, unreadable
from vsl.runtime.mcp_results import ReadObject, error_result, task, tool_result, tools
from vsl.runtime.observability import logger
from vsl.runtime.settings import settings
from vsl.runtime.time_left import seconds_left
from vsl.services.compat.agent_jobs import Agent, AgentJobs

_INSTRUCTIONS = (
    "Images, video and audio from generative models. estimate tells the price before anything is paid;"
    " generate needs maximumCost. Addresses of files end after a while: get_job gives new ones."
)
_LONGEST_RESULT_WAIT = 25


def respond(event: Event, context: Context, jobs: AgentJobs, read_object: ReadObject) -> Response:
    """Raises Forbidden and InvalidRequest for a caller who is not known, before the message is read."""
    _check_origin(header(event, "Origin"))
    user_id = compat_user(event)
    agent = Agent(
        user_id=user_id,
        request_id=context.aws_request_id,
        api=gateway(event),
        seconds=lambda: seconds_left(event, context),
        repetition=repetition(event),
    )
    try:
        message = json_body(event)
    except InvalidRequest:
        return _response(unreadable())
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return _response(_server(_Methods(jobs, read_object, agent))(message, headers))


class _Methods:
    """Of one request."""

    def __init__(self, jobs: AgentJobs, read_object: ReadObject, agent: Agent) -> None:
        self._jobs, self._read_object, self._agent = jobs, read_object, agent

    def list_tools(self, _params: Any, _version: str) -> mcp.ListToolsResult:
        return mcp.ListToolsResult(tools=tools())

    def call_tool(
        self, params: mcp.CallToolRequestParams, _version: str
    ) -> mcp.CallToolResult | mcp.CreateTaskResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            raise invalid_params("There is no tool of this name.")
        if params.task is not None and not tool.as_task:
            raise invalid_params("This tool answers at once and makes no task.")
        arguments = dict(params.arguments or {})
        if params.task is not None:
            arguments["waitSeconds"] = 0
        made = self._answered(lambda: self._jobs(tool.name, arguments, self._agent))
        if isinstance(made, mcp.CallToolResult):
            return made
        if params.task is not None:
            return mcp.CreateTaskResult(task=task(made))
        return tool_result(made, self._read_object)

    def get_task(self, params: mcp.GetTaskRequestParams, _version: str) -> mcp.GetTaskResult:
        return mcp.GetTaskResult(**task(self._job(params.task_id, 0)).model_dump())

    def task_result(
        self, params: mcp.GetTaskPayloadRequestParams, _version: str
    ) -> mcp.CallToolResult:
        """As the specification has it, it waits for the end; no longer than a request may."""
        job = self._job(params.task_id, _LONGEST_RESULT_WAIT)
        if not JobStatus(job["status"]).terminal:
            raise invalid_params("The task has not ended yet: ask again, or ask tasks/get.")
        return tool_result(job, self._read_object)

    def cancel_task(
        self, params: mcp.CancelTaskRequestParams, _version: str
    ) -> mcp.CancelTaskResult:
        job = self._job(params.task_id, 0)
        if JobStatus(job["status"]).terminal:
            raise invalid_params("The task has ended already.")
        self._known(lambda: self._jobs.cancel(params.task_id, self._agent))
        return mcp.CancelTaskResult(**task(self._job(params.task_id, 0)).model_dump())

    def _job(self, job_id: str, wait_seconds: int) -> dict[str, Any]:
        return self._known(lambda: self._jobs.job(job_id, self._agent, wait_seconds))

    def _known(self, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return read()
        except JobNotFound as error:
            raise invalid_params(error.message) from None

    def _answered(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any] | mcp.CallToolResult:
        """What goes wrong in a tool is told to the agent, who may do better."""
        try:
            return call()
        except VslError as error:
            logger.warning("tool refused", error_code=error.code, reason=error.message)
            return error_result(error)
        except Exception:  # noqa: BLE001 - the agent gets our code, the log the traceback
            logger.exception("tool failed unexpectedly")
            return error_result(InternalError("The tool failed; try again or report it."))


def _server(methods: _Methods) -> Server:
    return Server(
        name="vsl",
        version="1",
        instructions=_INSTRUCTIONS,
        methods={"tools/list": methods.list_tools, "tools/call": methods.call_tool},
        tasks={
            "tasks/get": (mcp.GetTaskRequest, methods.get_task),
            "tasks/result": (mcp.GetTaskPayloadRequest, methods.task_result),
            "tasks/cancel": (mcp.CancelTaskRequest, methods.cancel_task),
        },
    )


def _check_origin(origin: str | None) -> None:
    """A page in a browser is let in where its origin may call the API: the specification wants it checked,
    for a page may lead a browser to a server of its own machine. Raises Forbidden."""
    allowed = settings().cors_origins
    if origin is not None and "*" not in allowed and origin not in allowed:
        raise Forbidden("The origin is none of CorsOrigins.")


def _response(given: Answer) -> Response:
    if given.body is None:
        return without_body(given.status)
    return answer(given.status, given.body, {"Cache-Control": "no-store"})
