"""Celery on Redis: acknowledged late, one worker process of two children."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from celery import Celery

app = Celery("bench", broker=os.environ.get("REDIS_URL"), backend=os.environ.get("REDIS_URL"))
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, result_expires=600)


@app.task
def make(name: str, provider_input: dict[str, object]) -> float:
    from benchmarks.peers.job import MODEL, client, finish, store

    api = client()
    prediction = api.models.predictions.create(model=MODEL, input=provider_input, wait=True)
    finish(prediction)
    store(prediction.output[0], name)
    return float(prediction.metrics["total_time"])


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[Callable[[], float]]:
    """A call that returns when one job has gone through the worker, with its model's seconds."""
    app.conf.update(broker_url=environment["REDIS_URL"], result_backend=environment["REDIS_URL"])
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "benchmarks.peers.celery_peer", "worker",
         "--concurrency", "2", "--loglevel", "ERROR"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    given = {"prompt": "overhead", "aspect_ratio": "1:1", "megapixels": "0.25"}
    try:
        yield lambda: float(make.delay(secrets.token_hex(8), given).get(timeout=60))
    finally:
        worker.terminate()
        worker.wait(timeout=20)
        app.close()
