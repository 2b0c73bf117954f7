"""DBOS on PostgreSQL: a durable workflow of three steps, in this process."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving() -> Iterator[Callable[[], float]]:
    """A call that returns when one workflow has ended, with its model's seconds."""
    from dbos import DBOS

    from benchmarks.peers.job import MODEL, client, finish, store

    config: Any = {
        "name": "bench",
        "system_database_url": os.environ["DATABASE_URL"],
        "run_admin_server": False,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    api: Any = client()
    given = {"prompt": "overhead", "aspect_ratio": "1:1", "megapixels": "0.25"}

    @DBOS.step()
    def create() -> tuple[str, float]:
        prediction = api.models.predictions.create(model=MODEL, input=given, wait=True)
        finish(prediction)
        return str(prediction.output[0]), float(prediction.metrics["total_time"])

    @DBOS.step()
    def keep(url: str, name: str) -> None:
        store(url, name)

    @DBOS.step()
    def record(name: str, seconds: float) -> float:  # noqa: ARG001 - what is recorded is its input
        return seconds

    @DBOS.workflow()
    def make(name: str) -> float:
        url, seconds = create()
        keep(url, name)
        return record(name, seconds)

    DBOS.launch()
    try:
        yield lambda: make(secrets.token_hex(8))
    finally:
        DBOS.destroy()
