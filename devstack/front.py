"""The process of a front before the engine: the API's, and the one of stored files."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn


def serve(
    module: str, about: str | None, written: str, app: Callable[[Path, str], Any], **more: Any
) -> None:
    """Serve what `app` makes of two options: `--{written} F`, what a deployment wrote, and `--engine URL`.

    `more` goes to uvicorn.
    """
    parser = argparse.ArgumentParser(prog=module, description=about)
    parser.add_argument(f"--{written}", type=Path, required=True, help="what a deployment wrote")
    parser.add_argument("--engine", required=True, help="URL of the AWS engine")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    made = app(getattr(options, written), options.engine)
    uvicorn.Server(config(made, options.host, options.port, **more)).run()


def config(app: Any, host: str, port: int, **more: Any) -> uvicorn.Config:
    """No proxy is trusted: an `X-Forwarded-For` of the client is dropped, as at AWS."""
    given = {"lifespan": "off", "log_level": "warning", **more}
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        **given,
    )
