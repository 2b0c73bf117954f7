"""The official client of the Model Context Protocol: `mcp_client.py URL SCENARIO PROMPT [more]`.

`MODE` chooses the revision: `legacy` begins with the handshake, `auto` takes the newest.
"""

import asyncio
import json
import os
import sys
from typing import Any

from mcp import Client

URL, SCENARIO, PROMPT, *REST = sys.argv[1:]
MODEL = {"modelId": "flux-schnell", "prompt": PROMPT}


async def tools(client: Client) -> Any:
    """The whole way of an agent: what there is, what it costs, the picture, the money."""
    listed = await client.list_tools()
    models = await client.call_tool("list_models", {})
    model = await client.call_tool("describe_model", {"modelId": "flux-schnell"})
    estimate = await client.call_tool("estimate", MODEL)
    refused = await client.call_tool("generate", {**MODEL, "maximumCost": "0.0001"})
    made = await client.call_tool("generate", {**MODEL, "maximumCost": "0.003", "waitSeconds": 25})
    job = made.structured_content
    found = await client.call_tool("get_job", {"jobId": job["jobId"], "waitSeconds": 25})
    budget = await client.call_tool("my_budget", {})
    return {
        "version": client.protocol_version,
        "tools": [tool.name for tool in listed.tools],
        "models": [each["modelId"] for each in models.structured_content["models"]],
        "parameters": sorted(model.structured_content["parameters"]["properties"]),
        "estimate": estimate.structured_content["estimatedCost"],
        "refused": [refused.is_error, json.loads(refused.content[0].text)],
        "job": job["jobId"],
        "status": found.structured_content["status"],
        "blocks": [block.type for block in found.content],
        "link": next(block.uri for block in found.content if block.type == "resource_link"),
        "budget": budget.structured_content["budgets"][0]["spent"],
    }


async def cancel(client: Client) -> Any:
    """A slow job: its id at once, canceled, and of another user's job there is nothing."""
    made = await client.call_tool(
        "generate", {**MODEL, "maximumCost": "1", "idempotencyKey": REST[0]}
    )
    again = await client.call_tool(
        "generate", {**MODEL, "maximumCost": "1", "idempotencyKey": REST[0]}
    )
    job_id = made.structured_content["jobId"]
    canceled = await client.call_tool("cancel_job", {"jobId": job_id})
    ended = await client.call_tool("get_job", {"jobId": job_id, "waitSeconds": 25})
    foreign = await client.call_tool("get_job", {"jobId": REST[1]})
    return {
        "job": job_id,
        "same": again.structured_content["jobId"] == job_id,
        "first": made.structured_content["status"],
        "canceled": canceled.structured_content,
        "ended": ended.structured_content["status"],
        "foreign": [foreign.is_error, json.loads(foreign.content[0].text)["code"]],
    }


async def main() -> None:
    async with Client(f"{URL}/mcp", mode=os.environ.get("MODE", "auto")) as client:
        print(json.dumps(await {"tools": tools, "cancel": cancel}[SCENARIO](client)))


asyncio.run(main())
