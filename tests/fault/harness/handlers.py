"""The product's own handlers, wired to whichever world is current; everything else stays real."""

import importlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from tests.fault.harness.catalogue import catalogue
from tests.support.fakes import Secrets
from tests.support.fresh import forget_use_cases
from tests.support.template import REPOSITORY, resource
from vsl.runtime import observability, settings

if TYPE_CHECKING:
    from tests.fault.harness.world import World

API_URL = "https://api.example.com/local"
_POWERTOOLS = "aws_lambda_powertools.utilities.idempotency"
_TIMED = ("base", "persistence.base", "persistence.datarecord", "persistence.dynamodb")
FUNCTIONS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py"))
_ENVIRONMENT = {
    "STAGE": "local",
    "API_AUTH": "NONE",
    "SSM_PREFIX": "/vsl/local/",
    "DYNAMODB_TABLE": "jobs",
    "IDEMPOTENCY_TABLE": "idempotency",
    "S3_BUCKET": "media",
    "MODELS_CONFIG": str(REPOSITORY / "config" / "models.json"),
    "REPAIR_FUNCTION": "repair_execution",
    "POLL_FUNCTION": "poll_predictions",
    "DISPATCH_FUNCTION": "dispatch_queue",
}
_current: list["World"] = []


def activate(world: "World") -> None:
    _current[:] = [world]
    forget_use_cases()


def world() -> "World":
    return _current[0]


def folder(function: str) -> str:
    """`SubmitPrediction` is in `submit_prediction`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in function).lstrip("_")


@cache
def time_limit(name: str) -> float:
    """Of a function folder, in seconds, from the template."""
    logical_id = "".join(word.capitalize() for word in name.split("_")) + "Function"
    return float(resource(logical_id)["Properties"]["Timeout"])


@cache
def handler(name: str) -> Callable[[dict[str, Any], Any], Any]:
    found: Callable[[dict[str, Any], Any], Any] = importlib.import_module(
        f"functions.{name}.app"
    ).handler
    return found


class _Now:
    def now(self) -> Any:
        return world().scheduler.moment()


class _VirtualTime:
    """The module `datetime`, as far as Powertools' idempotency uses it."""

    timedelta = timedelta

    class datetime:  # noqa: N801
        @staticmethod
        def now() -> datetime:
            return world().scheduler.moment()


class _Metrics:
    def count(self, name: str, /, **dimensions: str) -> None:
        assert name in observability.METRICS
        world().counted[name] += 1
        for dimension, value in dimensions.items():
            world().counted[f"{name} {dimension}={value}"] += 1

    def seconds(self, name: str, value: float, /, **dimensions: str) -> None:
        self.record({name: value}, **dimensions)

    def record(self, values: Mapping[str, float], /, **dimensions: str) -> None:
        for name, value in values.items():
            assert name in observability.METRICS
            assert value >= 0


def _sleep(seconds: float) -> None:
    world().scheduler.sleep(seconds)


class InlineExecutor:
    """A thread pool that does the work at once: one order of effects, the same every time."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def submit[Result](self, work: Callable[..., Result], *arguments: Any) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:  # noqa: BLE001 - what the future's reader gets
            future.set_exception(error)
        return future

    def shutdown(self, **_: object) -> None: ...


class _Collector(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if _current:
            known = {name: str(value) for name, value in vars(record).items()}
            world().log.append(f"{self.format(record)} {known}")


@contextmanager
def installed() -> Iterator[None]:
    """The handlers reach the current world instead of AWS, as long as this lasts."""
    factories: dict[str, Any] = {
        "job_repository": lambda: world().repository,
        "budgets": lambda: world().budgets,
        "event_publisher": lambda: world().publisher,
        "task_tokens": lambda: world().task_tokens,
        "catalogue": catalogue,
        "clock": _Now(),
        "erasure": lambda: world().erasure,
        "object_removal": lambda: world().objects,
        "tracking_store": lambda: world().tracking,
        "media": lambda: world().media,
        "metrics": _Metrics(),
        "parameters": lambda: {"api-url": API_URL},
        "polling_lease": lambda: world().lease,
        "provider": lambda: world().provider,
        "replicate_token": lambda: "",
        "rate_limits": lambda: world().limits,
        "slots": lambda: world().slots,
        "dispatching_lease": lambda: world().dispatching_lease,
        "signer": lambda: world().signer,
        "status_cache": lambda: world().cache,
        "webhook_deduplication": lambda: world().deduplication,
        "webhook_secrets": lambda: Secrets([world().secret]),
    }
    changed: list[Any] = [
        patch.dict(os.environ, _ENVIRONMENT),
        patch("vsl.adapters.aws.clients.client", lambda name: world().clients[name]),
        *(patch(f"{_POWERTOOLS}.{module}.dt", _VirtualTime) for module in _TIMED),
        patch("vsl.adapters.s3.objects.ThreadPoolExecutor", InlineExecutor),
        patch("vsl.services.completion.store_media.ThreadPoolExecutor", InlineExecutor),
        patch("vsl.services.waiting.poll_predictions.ThreadPoolExecutor", InlineExecutor),
        patch("vsl.runtime.use_cases.waiting.sleep", _sleep),
        patch("vsl.runtime.use_cases.pacing.sleep", _sleep),
    ]
    shared = (f"vsl.runtime.{name}" for name in ("observability", "wiring", "wiring_media"))
    for module in (*shared, *(f"functions.{name}.app" for name in FUNCTIONS)):
        loaded = importlib.import_module(module)
        changed += [
            patch.object(loaded, name, made)
            for name, made in factories.items()
            if hasattr(loaded, name)
        ]
    with contextmanager(_all_of)(changed), _logging():
        settings.settings.cache_clear()
        yield
    settings.settings.cache_clear()
    _current.clear()


def _all_of(changed: list[Any]) -> Iterator[None]:
    started = []
    try:
        for change in changed:
            change.start()
            started.append(change)
        yield
    finally:
        for change in reversed(started):
            change.stop()


@contextmanager
def _logging() -> Iterator[None]:
    """Every line of our loggers goes to the world's log, with all its fields, and nowhere else."""
    product, root = logging.getLogger(observability.SERVICE), logging.getLogger()
    collector = _Collector()
    collector.setFormatter(observability.logger.registered_formatter)
    handlers, propagate = product.handlers[:], product.propagate
    others, level = root.handlers[:], root.level
    plain = _Collector()
    try:
        product.handlers[:], product.propagate = [collector], False
        root.handlers[:] = [plain]
        root.setLevel(logging.INFO)
        yield
    finally:
        product.handlers[:], product.propagate = handlers, propagate
        root.handlers[:] = others
        root.setLevel(level)
