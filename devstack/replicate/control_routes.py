"""/_control: what tests and people see and steer. No token: it is bound to this machine."""

import json
import re

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.replicate.faults import RuleSet
from devstack.replicate.model_routes import deployment_view, get_model, model_view
from devstack.replicate.offers import DeploymentOffer, ModelOffer
from devstack.replicate.prediction_routes import reference_of_path, state_of
from devstack.replicate.predictions import summary
from devstack.replicate.problems import Problem

_REFERENCE = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


async def predictions(request: Request) -> Response:
    return JSONResponse([summary(prediction) for prediction in state_of(request).book.values()])


async def put_faults(request: Request) -> Response:
    """Replace all rules; their counts start anew."""
    try:
        rules = RuleSet.model_validate_json(await request.body()).rules
    except ValidationError as error:
        return _invalid(error)
    state_of(request).faults.replace(rules)
    return await get_faults(request)


async def get_faults(request: Request) -> Response:
    return JSONResponse({"rules": state_of(request).faults.document()})


async def put_model(request: Request) -> Response:
    """Offer a model by its schema; the answer is the provider's document of it."""
    reference = _checked_reference(request)
    try:
        offer = ModelOffer.model_validate_json(await request.body())
    except ValidationError as error:
        return _invalid(error)
    model = state_of(request).models.offer(reference, offer)
    return JSONResponse(model_view(model))


async def delete_model(request: Request) -> Response:
    if not state_of(request).models.withdraw(reference_of_path(request)):
        raise Problem(404, "No model of this name was given at run time.")
    return Response(status_code=204)


async def put_deployment(request: Request) -> Response:
    reference = _checked_reference(request)
    try:
        offer = DeploymentOffer.model_validate_json(await request.body())
    except ValidationError as error:
        return _invalid(error)
    models = state_of(request).models
    if not any(offer.version in {None, each.version} for each in models.versions(offer.model)):
        raise Problem(422, f"model: the stand-in has no {offer.model} of this version.")
    return JSONResponse(deployment_view(request, models.deploy(reference, offer)))


async def delete_deployment(request: Request) -> Response:
    if not state_of(request).models.undeploy(reference_of_path(request)):
        raise Problem(404)
    return Response(status_code=204)


def _checked_reference(request: Request) -> str:
    reference = reference_of_path(request)
    if not _REFERENCE.fullmatch(reference):
        raise Problem(422, "owner and name: letters, digits, dots, hyphens and underscores only.")
    return reference


def _invalid(error: ValidationError) -> Response:
    return JSONResponse({"errors": json.loads(error.json(include_url=False))}, 422)


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
    Route("/_control/models/{owner}/{name}", put_model, methods=["PUT"]),
    Route("/_control/models/{owner}/{name}", get_model, methods=["GET"]),
    Route("/_control/models/{owner}/{name}", delete_model, methods=["DELETE"]),
    Route("/_control/deployments/{owner}/{name}", put_deployment, methods=["PUT"]),
    Route("/_control/deployments/{owner}/{name}", delete_deployment, methods=["DELETE"]),
    Route("/_control/reset", reset, methods=["POST"]),
    Route("/_control/health", health, methods=["GET"]),
]
