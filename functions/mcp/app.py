"""Mcp: POST /mcp, the Model Context Protocol for agents."""

from vsl.runtime.handler import Context, Event, Response, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.mcp_route import respond
from vsl.runtime.use_cases.agents import agent_jobs
from vsl.runtime.wiring import read_object

prepare("s3", "ssm")
at_init(agent_jobs)


@api
def handler(event: Event, context: Context) -> Response:
    return respond(event, context, agent_jobs(), read_object)
