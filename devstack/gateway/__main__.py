"""Serve the REST API of a deployed stack: `python -m devstack.gateway --document F --engine URL --port N`."""

import argparse
from pathlib import Path

import uvicorn

from devstack.gateway.app import GatewayApp
from devstack.gateway.backend import EngineBackend
from devstack.gateway.metrics import RequestMetrics
from devstack.gateway.server import server_config


def main() -> None:
    parser = argparse.ArgumentParser(prog="devstack.gateway", description=__doc__)
    parser.add_argument("--document", type=Path, required=True, help="resolved OpenAPI document")
    parser.add_argument("--engine", required=True, help="URL of the AWS engine")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    backend = EngineBackend(options.engine)
    app = GatewayApp(options.document, backend, RequestMetrics(backend.put_metrics))
    uvicorn.Server(server_config(app, options.host, options.port)).run()


if __name__ == "__main__":
    main()
