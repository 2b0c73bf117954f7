"""`python -m benchmarks.pacing`: write docs/pacing.md anew, from a simulation in a real Redis."""

import tempfile
from pathlib import Path

import tests.conftest  # noqa: F401 - the sealed environment of every test: no look-up leaves the machine
from benchmarks.pacing.page import PAGE, page
from devstack.servers.process import free_port
from devstack.servers.valkey import Valkey
from tests.support.template import REPOSITORY

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, Valkey(Path(folder), free_port()) as server:
        PAGE.write_text(page(server.url))
    print(PAGE.relative_to(REPOSITORY))  # noqa: T201
