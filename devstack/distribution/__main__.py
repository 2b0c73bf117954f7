"""Serve stored files: `python -m devstack.distribution --description F --engine URL --port N`."""

import argparse
from pathlib import Path

import uvicorn

from devstack.distribution.app import DistributionApp


def main() -> None:
    parser = argparse.ArgumentParser(prog="devstack.distribution", description=__doc__)
    parser.add_argument("--description", type=Path, required=True, help="what a deployment wrote")
    parser.add_argument("--engine", required=True, help="URL of the AWS engine")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    config = uvicorn.Config(
        DistributionApp(options.description, options.engine),
        host=options.host,
        port=options.port,
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
