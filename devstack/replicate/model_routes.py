"""/v1/models, their versions, and /v1/account."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.replicate.catalogue import MODELS, Model
from devstack.replicate.prediction_routes import model_of_path, state_of
from devstack.replicate.problems import Problem


async def list_models(_request: Request) -> Response:
    return JSONResponse(_page([_model_view(model) for model in MODELS]))


async def get_model(request: Request) -> Response:
    return JSONResponse(_model_view(model_of_path(request)))


async def list_versions(request: Request) -> Response:
    return JSONResponse(_page([_version_view(model_of_path(request))]))


async def get_version(request: Request) -> Response:
    model = model_of_path(request)
    if request.path_params["version"] != model.version:
        raise Problem(404)
    return JSONResponse(_version_view(model))


async def account(request: Request) -> Response:
    username = state_of(request).config.username
    return JSONResponse(
        {
            "type": "organization",
            "username": username,
            "name": "Local stand-in",
            "github_url": f"https://github.com/{username}",
            "avatar_url": None,
        }
    )


def _model_view(model: Model) -> dict[str, Any]:
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
        "default_example": None,
        "latest_version": _version_view(model),
    }


def _version_view(model: Model) -> dict[str, Any]:
    return {
        "id": model.version,
        "created_at": model.version_created_at,
        "cog_version": model.cog_version,
        "openapi_schema": model.openapi,
    }


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"next": None, "previous": None, "results": results}


ROUTES = [
    Route("/v1/account", account, methods=["GET"]),
    Route("/v1/models", list_models, methods=["GET"]),
    Route("/v1/models/{owner}/{name}", get_model, methods=["GET"]),
    Route("/v1/models/{owner}/{name}/versions", list_versions, methods=["GET"]),
    Route("/v1/models/{owner}/{name}/versions/{version}", get_version, methods=["GET"]),
]
