"""What a deployment writes into a file, as those see it who run on meanwhile."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Reloaded[T]:
    """Made of the JSON in `path` by `make`, and anew when the file has changed."""

    def __init__(self, path: Path, make: Callable[[dict[str, Any]], T]) -> None:
        self._path = path
        self._make = make
        self._made: tuple[int, T] | None = None

    def current(self) -> T:
        """Raises FileNotFoundError before anything was written."""
        modified = self._path.stat().st_mtime_ns
        if self._made is None or self._made[0] != modified:
            self._made = (modified, self._make(json.loads(self._path.read_text())))
        return self._made[1]
