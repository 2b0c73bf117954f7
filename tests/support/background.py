"""A thread that does the same thing again and again while a block of code runs."""

import threading
from typing import Self


class Background:
    """Runs `_step` after each `_pause` from the entry of its `with` block to the exit."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._pause()):
            self._step()

    def _pause(self) -> float:
        """Seconds."""
        raise NotImplementedError

    def _step(self) -> None:
        raise NotImplementedError
