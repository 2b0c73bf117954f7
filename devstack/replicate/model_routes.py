"""/v1/models, their versions, /v1/deployments and /v1/account."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.replicate.model import Model
from devstack.replicate.prediction_routes import (
    deployment_of_path,
    model_of_path,
    state_of,
)
from devstack.replicate.problems import Problem
from devstack.replicate.registry import Deployment


async def list_models(request: Request) -> Response:
    return JSONResponse(
        _page([model_view(model) for model in state_of(request).models.newest_all()])
    )


async def get_model(request: Request) -> Response:
    return JSONResponse(model_view(model_of_path(request)))


async def list_versions(request: Request) -> Response:
    return JSONResponse(_page([_version_view(version) for version in _versions(request)]))


async def get_version(request: Request) -> Response:
    for version in _versions(request):
        if request.path_params["version"] == version.version:
            return JSONResponse(_version_view(version))
    raise Problem(404)


async def list_deployments(request: Request) -> Response:
    deployments = state_of(request).models.deployments()
    return JSONResponse(_page([deployment_view(request, each) for each in deployments]))


async def get_deployment(request: Request) -> Response:
    return JSONResponse(deployment_view(request, deployment_of_path(request)))


async def account(request: Request) -> Response:
    return JSONResponse(_account(request))


def _account(request: Request) -> dict[str, Any]:
    username = state_of(request).config.username
    return {
        "type": "organization",
        "username": username,
        "name": "Local stand-in",
        "github_url": f"https://github.com/{username}",
        "avatar_url": None,
    }


def _versions(request: Request) -> list[Model]:
    """All of the model that the path names, newest first. Raises Problem 404."""
    return state_of(request).models.versions(model_of_path(request).reference)


def model_view(model: Model) -> dict[str, Any]:
    return {
        "url": f"https://replicate.com/{model.reference}",
        "owner": model.owner,
        "name": model.name,
        "description": model.description,
        "visibility": "public",
        "is_official": model.official,
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": model.run_count,
        "cover_image_url": None,
        "default_example": model.default_example,
        "latest_version": _version_view(model),
    }


def _version_view(model: Model) -> dict[str, Any]:
    return {
        "id": model.version,
        "created_at": model.version_created_at,
        "cog_version": model.cog_version,
        "openapi_schema": model.interface.document,
    }


def deployment_view(request: Request, deployment: Deployment) -> dict[str, Any]:
    released = state_of(request).models.released(deployment)
    owner, name = deployment.reference.split("/")
    return {
        "owner": owner,
        "name": name,
        "current_release": {
            "number": deployment.number,
            "model": deployment.model,
            "version": deployment.version if released is None else released.version,
            "created_at": deployment.created_at,
            "created_by": _account(request),
            "configuration": {"hardware": "gpu-a100-large", "min_instances": 0, "max_instances": 1},
        },
    }


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"next": None, "previous": None, "results": results}


ROUTES = [
    Route("/v1/account", account, methods=["GET"]),
    Route("/v1/models", list_models, methods=["GET"]),
    Route("/v1/models/{owner}/{name}", get_model, methods=["GET"]),
    Route("/v1/models/{owner}/{name}/versions", list_versions, methods=["GET"]),
    Route("/v1/models/{owner}/{name}/versions/{version}", get_version, methods=["GET"]),
    Route("/v1/deployments", list_deployments, methods=["GET"]),
    Route("/v1/deployments/{owner}/{name}", get_deployment, methods=["GET"]),
]
