"""Serve stored files: `python -m devstack.distribution --description F --engine URL --port N`."""

from devstack.distribution.app import DistributionApp
from devstack.front import serve


def main() -> None:
    options = {"lifespan": "on", "server_header": False}
    serve("devstack.distribution", __doc__, "description", DistributionApp, **options)


if __name__ == "__main__":
    main()
