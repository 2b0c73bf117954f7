"""Changes the engine's way of running functions, before it starts."""

import os
import socketserver
import sys
from pathlib import Path
from typing import Any

from devstack.hosting.errors import as_lambda_names
from devstack.hosting.fork_servers import ForkServers
from devstack.hosting.functions import HOLDING, behind
from devstack.hosting.gate import Gate
from devstack.hosting.places import Limits


def host_functions(lambda_service: Any, queue: Path) -> None:
    """Bound what runs at a time; where workers can be forked, listen at `queue` for those wanted."""
    # The Runtime API answers in two small writes: the second would wait 40 ms for the first's ACK.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    # The engine itself, the stores and the stand-in need the processor as well.
    total = max(3, 2 * (os.cpu_count() or 1))
    gate = Gate(Limits(total=total, holding=HOLDING, behind=behind()))
    execute = lambda_service._execute_function_provided_warm  # noqa: SLF001

    servers = ForkServers(queue) if sys.platform == "linux" else None
    if servers:
        servers.start()

    def admitted(function: dict[str, Any], *arguments: Any) -> dict[str, Any]:
        config = function.get("config") or function
        variables = config.get("Environment", {}).get("Variables", {})
        if servers and "VSL_INTERPRETER" in variables:
            # Else the function's own time would pass while the libraries are imported.
            servers.prepare(variables["VSL_INTERPRETER"], variables.get("PYTHONPATH", ""))
        with gate.place(config["FunctionName"]):
            return as_lambda_names(execute(function, *arguments))

    lambda_service._execute_function_provided_warm = admitted  # noqa: SLF001
