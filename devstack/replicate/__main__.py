"""`python -m devstack.replicate`: the stand-in as a process of its own."""

import argparse
import json
import os
import sys
from contextlib import suppress
from dataclasses import MISSING, fields
from pathlib import Path

from devstack.replicate.config import Config
from devstack.replicate.server import StandInServer


def main(arguments: list[str] | None = None) -> None:
    """Serve until stopped; stdout gets one line of JSON once the socket accepts connections."""
    options = _parser().parse_args(arguments)
    given = {name: value for name, value in vars(options).items() if value is not None}
    as_json, host, port = given.pop("json"), given.pop("host"), given.pop("port")
    server = StandInServer(Config(**given), host, port)
    config = server.config_of_stand_in
    ready = {
        "url": server.url,
        "apiUrl": f"{server.url}/v1",
        "controlUrl": f"{server.url}/_control",
        "token": config.token,
        "webhookSecret": config.webhook_secret,
        "pid": os.getpid(),
    }
    print(json.dumps(ready), flush=True)
    if not as_json:
        print(f"Replicate stand-in at {server.url}; Ctrl-C stops it.", file=sys.stderr)
    server.run_here()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.replicate",
        description="A stand-in for Replicate: its API, its webhooks, real media.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    default = {f.name: f.default for f in fields(Config) if f.default is not MISSING}

    def option(flag: str, kind: type, meaning: str) -> None:
        name = flag.removeprefix("--").replace("-", "_")
        parser.add_argument(flag, type=kind, default=default.get(name), help=meaning)

    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--json", action="store_true", help="nothing but the line of JSON")
    option("--token", str, "API token to accept; random unless given")
    option("--webhook-secret", str, "whsec_ and base64; random unless given")
    option("--speed", float, "multiplies the time models take; 1.0 is what the real ones take")
    option("--duration", float, "seconds every prediction takes, whatever the model")
    option("--deadline-scale", float, "multiplies Cancel-After")
    option("--output-lifetime", float, "seconds until outputs and inputs are removed")
    option("--create-rate", int, "predictions a minute")
    option("--create-burst", int, "predictions at once, when it is less than the rate")
    option("--other-rate", int, "other requests a minute")
    option("--webhook-timeout", float, "seconds a receiver may take")
    option("--retry-scale", float, "multiplies the webhook's back-off")
    option("--public-url", str, "address the answers speak of, instead of the request's own")
    option("--delivery-url", str, "origin of output files, instead of the same")
    option("--media-workers", int, "threads that make media")
    option("--directory", Path, "where output files are kept; temporary unless given")
    option("--models", Path, "file that keeps models given at run time; forgotten unless given")
    return parser


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
