"""What a function does before its first event, while Lambda gives it a whole processor.

A client of boto3 takes longer to make than most events take. Those that the usual event needs are
made with the imports; what only a failure needs is made when it happens. No connection is opened:
with SnapStart one process is the origin of many.
"""

import os
import random
from collections.abc import Callable
from contextlib import suppress

from vsl.adapters.aws import clients
from vsl.domain.errors import VslError

# Lambda alone sets it.
_ON_LAMBDA = "AWS_LAMBDA_INITIALIZATION_TYPE"


def prepare(*services: str) -> None:
    """Make these clients now if this is Lambda. Elsewhere an import has no effect."""
    kind = os.environ.get(_ON_LAMBDA)
    if kind is None:
        return
    for service in services:
        clients.client(service)
    if kind == "snap-start":
        from snapshot_restore_py import register_after_restore

        register_after_restore(restored)


def at_init(*factories: Callable[[], object]) -> None:
    """Make these adapters now if this is Lambda: their libraries come with the imports, and a snapshot
    keeps them. Each connects at its first use."""
    if _ON_LAMBDA in os.environ:
        for make in factories:
            with suppress(VslError):  # of the environment: the first event says it
                make()


def restored() -> None:
    """Every copy of a snapshot would draw the same numbers, and believe in the same connections."""
    random.seed()
    clients.close()
