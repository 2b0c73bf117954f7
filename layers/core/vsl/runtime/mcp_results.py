"""What a tool answers, as blocks of the Model Context Protocol: its JSON, files as links, pictures inline.

The types are the official SDK's (mcp-types).
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import mcp_types as mcp

from vsl.domain.compat.agent_tools import TOOLS, Tool
from vsl.domain.errors import InternalError, VslError
from vsl.domain.jobs.ids import created_at
from vsl.domain.jobs.job import JobStatus, iso
from vsl.domain.jobs.object_keys import thumbnail_beside

# Of the files of one job, as they are: what is larger is shown by its thumbnail, if it has one.
MOST_INLINE_BYTES = 1_000_000
MOST_INLINE_IMAGES = 4
_POLL_MILLISECONDS = 2000
_TASK_STATUS: Mapping[JobStatus, mcp.TaskStatus] = {
    JobStatus.SUCCEEDED: "completed",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELED: "cancelled",
}

type ReadObject = Callable[[str], bytes | None]


def tools() -> list[mcp.Tool]:
    return [_tool(tool) for tool in TOOLS.values()]


def _tool(tool: Tool) -> mcp.Tool:
    hints = mcp.ToolAnnotations(
        read_only_hint=not tool.changes,
        **{name: bool(value) for name, value in tool.annotations.items()},
    )
    return mcp.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=dict(tool.input_schema),
        output_schema=dict(tool.output_schema),
        annotations=hints,
        execution=mcp.ToolExecution(task_support="optional" if tool.as_task else "forbidden"),
    )


def tool_result(answer: Mapping[str, Any], read_object: ReadObject) -> mcp.CallToolResult:
    """A job that failed is an answer as well, and an error for the agent."""
    files = answer.get("outputs") or []
    return mcp.CallToolResult(
        content=[
            mcp.TextContent(text=json.dumps(answer, ensure_ascii=False, default=str)),
            *_links(files),
            *_pictures(files, read_object),
        ],
        structured_content=dict(answer),
        is_error=answer.get("status") == JobStatus.FAILED.value,
    )


def error_result(error: VslError) -> mcp.CallToolResult:
    """Our code and what is known of the fault; faults of ours stay vague."""
    vague = error.status == InternalError.status
    details = {} if vague else {k: v for k, v in error.details.items() if k != "headers"}
    told = {"code": error.code, "message": error.title if vague else error.message, **details}
    return mcp.CallToolResult(
        content=[mcp.TextContent(text=json.dumps(told, ensure_ascii=False, default=str))],
        structured_content={"error": told},
        is_error=True,
    )


def task(job: Mapping[str, Any]) -> mcp.Task:
    """A job as a task of the same id."""
    job_id = str(job["jobId"])
    made = job.get("createdAt") or iso(created_at(job_id))
    return mcp.Task(
        task_id=job_id,
        status=_TASK_STATUS.get(JobStatus(job["status"]), "working"),
        status_message=job.get("error"),
        created_at=made,
        last_updated_at=job.get("updatedAt") or made,
        ttl=None,
        poll_interval=_POLL_MILLISECONDS,
    )


def _links(files: list[dict[str, Any]]) -> Iterator[mcp.ResourceLink]:
    for file in files:
        yield mcp.ResourceLink(
            name=str(file["s3Path"]).rpartition("/")[2],
            uri=file["originalUrl"],
            mime_type=file["contentType"],
            size=file["fileSize"],
        )


def _pictures(files: list[dict[str, Any]], read_object: ReadObject) -> Iterator[mcp.ImageContent]:
    left = MOST_INLINE_BYTES
    for file in files[:MOST_INLINE_IMAGES]:
        key, kind = str(file["s3Path"]), str(file["contentType"])
        if not kind.startswith("image/") or file["fileSize"] > left:
            key, kind = thumbnail_beside(key), "image/webp"
            if not file["thumbnailUrl"]:
                continue
        content = read_object(key)
        if content is not None and len(content) <= left:
            left -= len(content)
            yield mcp.ImageContent(data=base64.b64encode(content).decode(), mime_type=kind)
