"""The stand-in as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from devstack.replicate import (
    control_routes,
    delivery,
    file_routes,
    model_routes,
    prediction_routes,
)
from devstack.replicate.access import ApiAccess
from devstack.replicate.config import Config
from devstack.replicate.problems import Problem
from devstack.replicate.state import State


def create_app(config: Config | None = None) -> Starlette:
    """A stand-in of its own; `app.state.stand_in` is its `State`."""
    state = State.build(config or Config())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await state.runner.close()

    app = Starlette(
        routes=[
            *prediction_routes.ROUTES,
            *model_routes.ROUTES,
            *file_routes.ROUTES,
            *delivery.ROUTES,
            *control_routes.ROUTES,
        ],
        middleware=[Middleware(ApiAccess, state=state)],
        exception_handlers={Problem: _problem, HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.state.stand_in = state
    return app


async def _problem(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return error.response()


async def _http_error(_request: Request, error: Exception) -> Response:
    return Problem(error.status_code if isinstance(error, HTTPException) else 500).response()
