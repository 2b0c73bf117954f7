"""Live editing: a handler that imports the function anew when its source has changed.

Before each invocation the modification times of our own loaded modules and of the catalogue are
compared with those at import. If one differs, all our modules are dropped and imported again, so
caches and clients built from the old code go with them; third-party packages stay. Nothing has to
be told to the engine, and an invocation that is under way keeps the code it began with.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

type Handler = Callable[[Any, Any], Any]
type Snapshot = dict[str, int]

_MISSING = -1


class LiveHandler:
    """Calls `module.function`. `roots` are the folders whose modules are reloaded, `files` are watched
    besides."""

    def __init__(self, name: str, roots: tuple[Path, ...], files: tuple[Path, ...] = ()) -> None:
        self._name = name
        self._roots = tuple(f"{root}{os.sep}" for root in roots)
        self._files = tuple(str(file) for file in files)
        self._seen: Snapshot = {}
        self._function: Handler | None = None
        self._import()

    def __call__(self, event: Any, context: Any) -> Any:
        if self._function is None or self._changed():
            self._forget()
            self._import()
        function = self._function
        assert function is not None  # noqa: S101 - _import sets it or raises
        try:
            return function(event, context)
        finally:
            self._remember()

    def _import(self) -> None:
        module, _, attribute = self._name.rpartition(".")
        self._function = None
        try:
            loaded = importlib.import_module(module)
            self._function = getattr(loaded, attribute, None)
        except ImportError as error:
            text = f"Unable to import module '{module}': {error}"
            raise _fault("Runtime.ImportModuleError", text) from error
        except SyntaxError as error:
            text = f"Syntax error in module '{module}': {error}"
            raise _fault("Runtime.UserCodeSyntaxError", text) from error
        finally:
            self._remember()
        if self._function is None:
            text = f"Handler '{attribute}' missing on module '{module}'"
            raise _fault("Runtime.HandlerNotFound", text)

    def _forget(self) -> None:
        for name, _ in list(self._own_modules()):
            del sys.modules[name]
        self._seen.clear()
        importlib.invalidate_caches()

    def _remember(self) -> None:
        for path in self._watched():
            if path not in self._seen:
                self._seen[path] = _modified(path)

    def _changed(self) -> bool:
        return any(_modified(path) != before for path, before in self._seen.items())

    def _watched(self) -> Iterator[str]:
        yield from self._files
        for _, path in list(self._own_modules()):
            yield path

    def _own_modules(self) -> Iterator[tuple[str, str]]:
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path.startswith(self._roots):
                yield name, path


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - before every invocation, for every module
    except OSError:
        return _MISSING


def _fault(kind: str, message: str) -> Exception:
    """The exception by which the runtime in use knows a fault of the function's package."""
    faults: Any = importlib.import_module(os.environ["VSL_RUNTIME_FAULTS"])
    fault: Exception = faults.FaultException(kind, message)
    return fault


def from_environment() -> LiveHandler:
    """The handler this process was started for. Raises what importing it raises."""
    roots = os.environ["VSL_LIVE_ROOTS"].split(os.pathsep)
    files = [text for text in os.environ.get("VSL_LIVE_FILES", "").split(os.pathsep) if text]
    return LiveHandler(
        os.environ["VSL_LIVE_HANDLER"], tuple(map(Path, roots)), tuple(map(Path, files))
    )
