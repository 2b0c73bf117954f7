"""The tools that agents are offered over the Model Context Protocol: names, words for the model, and schemas.

JSON Schema (2020-12); what a tool answers besides is text and pictures (runtime.mcp_results).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vsl.domain.api.prefer import LONGEST_WAIT

GENERATE: Final = "generate"

_MODEL = {"type": "string", "description": "A modelId of list_models."}
_PARAMETERS = {
    "type": "object",
    "additionalProperties": True,
    "description": "The model's parameters; describe_model has their schema.",
}
_PROMPT = {"type": "string", "description": "Short for parameters.prompt."}
_JOB_ID = {"type": "string", "description": "The jobId that generate answered with."}
_WAIT = {
    "type": "integer",
    "minimum": 0,
    "maximum": LONGEST_WAIT,
    "description": f"Seconds to wait for the end, at most {LONGEST_WAIT}; 0 or nothing answers at once.",
}
_MONEY = {"type": ["string", "null"], "description": "US dollars as decimal text."}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _answer(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    """Open: an answer may come to tell more."""
    return {"type": "object", "properties": properties, "required": list(required)}


_JOB = _answer(
    ("jobId", "status"),
    jobId={"type": "string"},
    status={"enum": ["pending", "processing", "storing", "succeeded", "failed", "canceled"]},
    estimatedCost=_MONEY,
    actualCost=_MONEY,
    progress={"type": ["number", "null"], "description": "From 0 to 1."},
    outputs={
        "type": "array",
        "items": {"type": "object"},
        "description": "Files, each with its signed address (originalUrl), contentType and fileSize.",
    },
    error={"type": ["string", "null"]},
    errorCode={"type": ["string", "null"]},
)


@dataclass(frozen=True, slots=True)
class Tool:
    """`as_task`: a client may ask for a task in place of the answer. `changes`: it is no mere question."""

    name: str
    title: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    as_task: bool = False
    changes: bool = False
    annotations: Mapping[str, bool] = field(default_factory=dict)


TOOLS: Final = {
    tool.name: tool
    for tool in (
        Tool(
            "list_models",
            "List models",
            "The models that can be run: what each makes, its price and its usual time.",
            _object(),
            _answer(("models",), models={"type": "array", "items": {"type": "object"}}),
        ),
        Tool(
            "describe_model",
            "Describe a model",
            "One model with the JSON Schema of its parameters and an example that works.",
            _object(("modelId",), modelId=_MODEL),
            _answer(
                ("modelId", "parameters"),
                modelId={"type": "string"},
                parameters={"type": "object"},
                example={"type": "object"},
            ),
        ),
        Tool(
            "estimate",
            "Estimate a job",
            "What a job would cost and how long it would take, and whether the budget admits it. Nothing is"
            " made or paid for.",
            _object(("modelId",), modelId=_MODEL, parameters=_PARAMETERS, prompt=_PROMPT),
            _answer(
                ("modelId", "estimatedCost", "wouldHold", "estimatedTime"),
                estimatedCost=_MONEY,
                wouldHold=_MONEY,
                estimatedTime={"type": "number", "description": "Seconds."},
                admitted={"type": ["boolean", "null"]},
                refusedBy={},
            ),
        ),
        Tool(
            GENERATE,
            "Generate media",
            "Runs a model and pays for it, once. Nothing is made if the job could cost more than maximumCost."
            " Without waitSeconds the answer is the job, whose end get_job tells.",
            _object(
                ("modelId", "maximumCost"),
                modelId=_MODEL,
                parameters=_PARAMETERS,
                prompt=_PROMPT,
                maximumCost={
                    "type": ["string", "number"],
                    "description": "The most that this job may cost, in US dollars: wouldHold of estimate.",
                },
                waitSeconds=_WAIT,
                idempotencyKey={
                    "type": "string",
                    "description": "The same key with the same request is the same job, paid once.",
                },
                metadata={
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Your own words about the job.",
                },
            ),
            _JOB,
            as_task=True,
            changes=True,
            annotations={"destructive_hint": False, "open_world_hint": True},
        ),
        Tool(
            "get_job",
            "Get a job",
            "A job as it stands, with its files once it has ended.",
            _object(("jobId",), jobId=_JOB_ID, waitSeconds=_WAIT),
            _JOB,
        ),
        Tool(
            "cancel_job",
            "Cancel a job",
            "Stops a job that has not ended; nothing more is paid for it.",
            _object(("jobId",), jobId=_JOB_ID),
            _answer(
                ("jobId", "status", "cancelRequested"),
                jobId={"type": "string"},
                status={"type": "string"},
                cancelRequested={"type": "boolean"},
            ),
            changes=True,
            annotations={"destructive_hint": True, "idempotent_hint": True},
        ),
        Tool(
            "my_budget",
            "My budget",
            "What of your budgets is spent and held, and whether another job may start.",
            _object(),
            _answer(
                ("budgets", "canStart"),
                budgets={"type": "array", "items": {"type": "object"}},
                canStart={"type": "boolean"},
            ),
        ),
    )
}
