"""/_control: what tests and people see and steer. No token: it is bound to this machine."""

import json

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.replicate.faults import RuleSet
from devstack.replicate.prediction_routes import state_of
from devstack.replicate.predictions import summary


async def predictions(request: Request) -> Response:
    return JSONResponse([summary(prediction) for prediction in state_of(request).book.values()])


async def put_faults(request: Request) -> Response:
    """Replace all rules; their counts start anew."""
    try:
        rules = RuleSet.model_validate_json(await request.body()).rules
    except ValidationError as error:
        return JSONResponse({"errors": json.loads(error.json(include_url=False))}, 422)
    state_of(request).faults.replace(rules)
    return await get_faults(request)


async def get_faults(request: Request) -> Response:
    return JSONResponse({"rules": state_of(request).faults.document()})


async def reset(request: Request) -> Response:
    await state_of(request).reset()
    return Response(status_code=204)


async def health(request: Request) -> Response:
    state = state_of(request)
    return JSONResponse(
        {
            "status": "ok",
            "predictions": len(state.book),
            "running": sum(not prediction.terminal for prediction in state.book.values()),
            "requests": dict(state.requests),
        }
    )


ROUTES = [
    Route("/_control/predictions", predictions, methods=["GET"]),
    Route("/_control/faults", put_faults, methods=["PUT"]),
    Route("/_control/faults", get_faults, methods=["GET"]),
    Route("/_control/reset", reset, methods=["POST"]),
    Route("/_control/health", health, methods=["GET"]),
]
