"""The product's own handlers, wired to whichever world is current; everything else stays real."""

import importlib
import io
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from tests.support.jobs import catalogue
from tests.support.log_lines import written_to
from tests.support.outside import Secrets
from tests.support.template import REPOSITORY, resource
from vsl.runtime import observability, settings

if TYPE_CHECKING:
    from tests.fault.harness.world import World

API_URL = "https://api.example.com/local"
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
}
_current: list["World"] = []


def activate(world: "World") -> None:
    _current[:] = [world]


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


class _Stream(io.TextIOBase):
    """Where a step's last line goes, which has no record (`observability.step_done`)."""

    def write(self, text: str) -> int:
        if _current:
            world().log.append(text)
        return len(text)


@contextmanager
def installed() -> Iterator[None]:
    """The handlers reach the current world instead of AWS, as long as this lasts."""
    factories: dict[str, Any] = {
        "accounting": lambda: world().accounting,
        "announcements": lambda: world().announcements,
        "callbacks": lambda: world().callbacks,
        "catalogue": catalogue,
        "clock": _Now(),
        "live_jobs": lambda: world().live,
        "media": lambda: world().media,
        "metrics": _Metrics(),
        "parameters": lambda: {"api-url": API_URL},
        "provider": lambda: world().provider,
        "rate_limits": lambda: world().limits,
        "signer": lambda: world().signer,
        "status_cache": lambda: world().cache,
        "webhook_memory": lambda: world().memory,
        "webhook_secrets": lambda: Secrets([world().secret]),
    }
    changed: list[Any] = [
        patch.dict(os.environ, _ENVIRONMENT),
        patch("vsl.adapters.json_client.client", lambda name: world().clients[name]),
        patch("vsl.adapters.lambdas.client", lambda name: world().clients[name]),
        patch("vsl.adapters.announcements.client", lambda name: world().clients[name]),
        patch("vsl.adapters.s3.ThreadPoolExecutor", InlineExecutor),
        patch("vsl.services.store_media.ThreadPoolExecutor", InlineExecutor),
    ]
    for module in ("vsl.runtime.wiring", *(f"functions.{name}.app" for name in FUNCTIONS)):
        loaded = importlib.import_module(module)
        changed += [
            patch.object(loaded, name, made)
            for name, made in factories.items()
            if hasattr(loaded, name)
        ]
    with contextmanager(_all_of)(changed), written_to(_Stream()), _logging():
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
