"""/v1/predictions, and those of /v1/models/{owner}/{name} and /v1/deployments/{owner}/{name}.

https://replicate.com/docs/reference/http
"""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.replicate import clock
from devstack.replicate.connections import break_connection
from devstack.replicate.faults import (
    CreateAnswerLost,
    CreateFails,
    CreateHangs,
    ListWebhooks,
    ReadFails,
    WebhookFault,
)
from devstack.replicate.model import Model
from devstack.replicate.predictions import Prediction
from devstack.replicate.problems import Problem, throttled
from devstack.replicate.registry import Deployment
from devstack.replicate.state import State
from devstack.replicate.validation import check_body, check_input, parse_cancel_after

PAGE = 100
_PREFER = re.compile(r"wait(?:=([1-9]|[1-5][0-9]|60))?")
_LONGEST_WAIT = 60


def state_of(request: Request) -> State:
    state: State = request.app.state.stand_in
    return state


def base_url(request: Request) -> str:
    """Where this stand-in is, as its answers say it."""
    return state_of(request).config.public_url or str(request.base_url).rstrip("/")


async def create(request: Request) -> Response:
    body = check_body(await _json(request), needs_version=True)
    model = state_of(request).models.by_version(body["version"])
    if model is None:
        raise Problem(422)
    return await _create(request, model, body)


async def create_official(request: Request) -> Response:
    body = check_body(await _json(request), needs_version=False)
    model = model_of_path(request)
    if not model.official:
        raise Problem(404)
    return await _create(request, model, body)


async def create_deployed(request: Request) -> Response:
    body = check_body(await _json(request), needs_version=False)
    deployment = deployment_of_path(request)
    model = state_of(request).models.released(deployment)
    if model is None:
        raise Problem(404)
    return await _create(request, model, body, deployment.reference)


async def get(request: Request) -> Response:
    prediction = _find(request)
    await _read_fault(request, "get", prediction)
    return _answer(prediction, prediction.view())


async def cancel(request: Request) -> Response:
    """Of a prediction that has ended the finished state comes back (the real answer is unknown)."""
    prediction = _find(request)
    await _read_fault(request, "cancel", prediction)
    state_of(request).runner.cancel(prediction)
    return _answer(prediction, prediction.canceled_view())


def _answer(prediction: Prediction, view: dict[str, Any]) -> Response:
    return Response(prediction.encoded(view), media_type="application/json")


async def list_all(request: Request) -> Response:
    await _read_fault(request, "list")
    state = state_of(request)
    state.runner.remove_expired()
    query = request.query_params
    try:
        after, before = (
            clock.parse(query[name]) if query.get(name) else None
            for name in ("created_after", "created_before")
        )
        start = _cursor_position(query["cursor"]) if query.get("cursor") else None
    except ValueError:
        raise Problem(400, "Invalid query parameter") from None
    found = [
        prediction
        for prediction in reversed(state.book.values())
        if query.get("source") != "web"
        and (after is None or prediction.created >= after)
        and (before is None or prediction.created < before)
    ]
    first = 0
    if start is not None:
        first = next((i for i, item in enumerate(found) if item.created <= start), len(found))
    kept = {name: query[name] for name in ("created_after", "created_before") if query.get(name)}

    def page_url(position: int) -> str | None:
        if not 0 <= position < len(found):
            return None
        cursor = base64.b64encode(f"p={found[position].created}".encode()).decode()
        return f"{base_url(request)}/v1/predictions?{urlencode({**kept, 'cursor': cursor})}"

    return JSONResponse(
        {
            "next": page_url(first + PAGE),
            "previous": page_url(max(0, first - PAGE)) if first else None,
            "results": [_listed(state, prediction) for prediction in found[first : first + PAGE]],
        }
    )


def _listed(state: State, prediction: Prediction) -> dict[str, Any]:
    telling = state.faults.take(ListWebhooks, prediction.model.reference, prediction.asked)
    return prediction.listed_view(webhook=telling is not None)


async def webhook_secret(request: Request) -> Response:
    await _read_fault(request, "secret")
    return JSONResponse({"key": state_of(request).config.webhook_secret})


async def _create(
    request: Request, model: Model, body: Mapping[str, Any], deployment: str | None = None
) -> Response:
    state, asked = state_of(request), dict(body["input"])
    cancel_after = parse_cancel_after(request.headers.get("cancel-after"))
    check_input(model.interface, asked)
    if failing := state.faults.take(CreateFails, model.reference, asked):
        if failing.status == 429 and failing.detail is None:
            raise throttled(failing.retry_after)
        title = {"title": failing.title} if failing.title else {}
        raise Problem(failing.status, failing.detail, **title)
    hanging = state.faults.take(CreateHangs, model.reference, asked)
    if hanging is not None and not hanging.created:
        await asyncio.sleep(hanging.seconds)
        raise Problem(504)
    lost = state.faults.take(CreateAnswerLost, model.reference, asked)
    state.runner.remove_expired()
    events = body.get("webhook_events_filter")
    prediction = state.runner.create(
        model,
        asked,
        base_url(request),
        webhook=body.get("webhook"),
        events=None if events is None else tuple(events),
        cancel_after=cancel_after,
        deployment=deployment,
    )
    if any(isinstance(rule, WebhookFault) and rule.kind == "early" for rule in prediction.faults):
        await prediction.end_announced.wait()
    if hanging is not None:
        await asyncio.sleep(hanging.seconds)
    if lost is not None:
        await break_connection(request.scope)
        return Response()
    return await _answer_create(request, prediction)


async def _answer_create(request: Request, prediction: Prediction) -> Response:
    preference = _PREFER.fullmatch(request.headers.get("prefer", "").strip())
    headers = {"location": prediction.created_view()["urls"]["get"]}
    if preference is None:
        return JSONResponse(prediction.created_view(), 201, headers)
    headers["preference-applied"] = preference.group()
    try:
        async with asyncio.timeout(int(preference.group(1) or _LONGEST_WAIT)):
            await prediction.outputs_ready.wait()
    except TimeoutError:
        return JSONResponse(prediction.created_view(), 202, headers)
    if prediction.output is None:
        return JSONResponse(prediction.view(), 201, headers)
    output = prediction.output
    if state_of(request).config.sync_data_urls:
        output = await asyncio.to_thread(_as_data_urls, state_of(request), output)
    return JSONResponse(prediction.synchronous_view(output), 201, headers)


def _as_data_urls(state: State, output: Any) -> Any:
    """Outputs as data URLs: how synchronous answers were recorded in 2024."""
    if isinstance(output, list):
        return [_as_data_urls(state, item) for item in output]
    if isinstance(output, dict):
        return {key: _as_data_urls(state, item) for key, item in output.items()}
    if not isinstance(output, str) or "/pbxt/" not in output:
        return output
    file = state.outputs.get(*output.split("/")[-2:])
    if file is None:
        return output
    return f"data:{file.content_type};base64,{base64.b64encode(file.path.read_bytes()).decode()}"


def model_of_path(request: Request) -> Model:
    """The newest version of the model that the path names. Raises Problem 404."""
    model = state_of(request).models.newest(reference_of_path(request))
    if model is None:
        raise Problem(404)
    return model


def deployment_of_path(request: Request) -> Deployment:
    """Raises Problem 404."""
    deployment = state_of(request).models.deployment(reference_of_path(request))
    if deployment is None:
        raise Problem(404)
    return deployment


def reference_of_path(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _find(request: Request) -> Prediction:
    state_of(request).runner.remove_expired()
    prediction = state_of(request).book.get(request.path_params["id"])
    if prediction is None:
        raise Problem(404)
    return prediction


async def _read_fault(
    request: Request, operation: str, prediction: Prediction | None = None
) -> None:
    model, asked = (prediction.model.reference, prediction.asked) if prediction else ("", {})
    fault = state_of(request).faults.take(ReadFails, model, asked, operation)
    if fault is None:
        return
    await asyncio.sleep(fault.seconds)
    raise throttled(fault.retry_after) if fault.status == 429 else Problem(fault.status)


async def _json(request: Request) -> object:
    body = await request.body()
    try:
        return json.loads(body)
    except ValueError as error:
        reason = "EOF" if not body.strip() else str(error)
        raise Problem(400, f"Failed to parse request body as JSON: {reason}") from None


def _cursor_position(cursor: str) -> int:
    return int(base64.b64decode(cursor, validate=True).removeprefix(b"p="))


ROUTES = [
    Route("/v1/predictions", create, methods=["POST"]),
    Route("/v1/predictions", list_all, methods=["GET"]),
    Route("/v1/predictions/{id}", get, methods=["GET"]),
    Route("/v1/predictions/{id}/cancel", cancel, methods=["POST"]),
    Route("/v1/models/{owner}/{name}/predictions", create_official, methods=["POST"]),
    Route("/v1/deployments/{owner}/{name}/predictions", create_deployed, methods=["POST"]),
    Route("/v1/webhooks/default/secret", webhook_secret, methods=["GET"]),
]
