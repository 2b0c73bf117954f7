"""Live editing: a handler that imports the function anew when its source has changed.

Before each invocation the modification times of our own loaded modules and of the catalogue are
compared with those at import. If one differs, all our modules are dropped and imported again, so
caches and clients built from the old code go with them; third-party packages stay. Nothing has to
be told to the engine, and an invocation that is under way keeps the code it began with.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

type Handler = Callable[[Any, Any], Any]
type Snapshot = dict[str, int]

_MISSING = -1


class Sources:
    """Our own loaded modules, those below `roots`, and besides them `files`: have they changed?

    `before` are those that the fork server had looked at when this worker was forked, with all of
    our code that it had imported.
    """

    def __init__(
        self,
        roots: tuple[Path, ...],
        files: tuple[Path, ...] = (),
        before: "Sources | None" = None,
    ) -> None:
        self._roots = tuple(f"{root}{os.sep}" for root in roots)
        self._files = tuple(str(file) for file in files)
        self.seen: Snapshot = dict(before.seen) if before else {}
        self.looked_at: frozenset[str] = before.looked_at if before else frozenset()
        """Names of modules. Even a look writes to a module, by counting the reference: a worker would
        get its own copy of the page of every module it shares with the fork server."""

    def remember(self) -> None:
        """Note the times of what has been loaded since."""
        loaded = sys.modules.keys() - self.looked_at
        for path in (*self._files, *(path for _, path in self._ours(loaded))):
            if path not in self.seen:
                self.seen[path] = _modified(path)
        self.looked_at |= loaded

    def changed(self) -> bool:
        return any(_modified(path) != before for path, before in self.seen.items())

    def forget(self) -> None:
        """Drop the modules, so that the next import reads them anew.

        Python dates the source of its bytecode to the second: what is edited twice within one would be
        found unchanged. So the bytecode of what has changed goes as well, and none is written any more.
        """
        sys.dont_write_bytecode = True
        for path, before in self.seen.items():
            if path.endswith(".py") and _modified(path) != before:
                with suppress(OSError):  # there is none, or it is another user's
                    Path(importlib.util.cache_from_source(path)).unlink()
        for name, _ in list(self._ours(set(sys.modules))):
            del sys.modules[name]
        self.seen.clear()
        self.looked_at = frozenset()
        importlib.invalidate_caches()

    def _ours(self, names: set[str]) -> Iterator[tuple[str, str]]:
        for name in names:
            path = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(path, str) and path.startswith(self._roots):
                yield name, path


preloaded: Sources | None = None
"""What the fork server has imported before this worker was forked (fork_server.py)."""


class LiveHandler:
    """Calls `module.function`. `roots` are the folders whose modules are reloaded, `files` are watched
    besides."""

    def __init__(self, name: str, roots: tuple[Path, ...], files: tuple[Path, ...] = ()) -> None:
        self._name = name
        self._sources = Sources(roots, files, preloaded)
        self._function: Handler | None = None
        self._import()

    def __call__(self, event: Any, context: Any) -> Any:
        if self._function is None or self._sources.changed():
            self._sources.forget()
            self._import()
        function = self._function
        assert function is not None  # noqa: S101 - _import sets it or raises
        try:
            answer = function(event, context)
        finally:
            self._sources.remember()
        _end_log()
        return answer

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
            self._sources.remember()
        if self._function is None:
            text = f"Handler '{attribute}' missing on module '{module}'"
            raise _fault("Runtime.HandlerNotFound", text)


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - before every invocation, for every module
    except OSError:
        return _MISSING


def _end_log() -> None:
    """An empty line, which leaves no event: of a call that logs nothing the engine waits 50 ms for a
    first line."""
    sys.stdout.write("\n")
    sys.stdout.flush()


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
