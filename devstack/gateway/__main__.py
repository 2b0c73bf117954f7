"""Serve the REST API of a deployed stack: `python -m devstack.gateway --document F --engine URL --port N`."""

from pathlib import Path

from devstack.front import serve
from devstack.gateway.app import GatewayApp
from devstack.gateway.backend import EngineBackend
from devstack.gateway.metrics import RequestMetrics
from devstack.gateway.server import CasedProtocol


def main() -> None:
    serve("devstack.gateway", __doc__, "document", _app, http=CasedProtocol)


def _app(document: Path, engine: str) -> GatewayApp:
    backend = EngineBackend(engine)
    return GatewayApp(document, backend, RequestMetrics(backend.put_metrics))


if __name__ == "__main__":
    main()
