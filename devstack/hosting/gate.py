"""Holds each call in its thread until it may run (places.py)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from devstack.hosting.places import Call, Limits, Places


class Gate:
    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = Places(limits)
        self._clock = clock
        self._lock = threading.Lock()
        self._admitted: dict[Call, threading.Event] = {}

    @contextmanager
    def place(self, function: str) -> Iterator[None]:
        """Wait for a place, keep it for the body."""
        admitted = threading.Event()
        with self._lock:
            call = self._places.ask(function)
            self._admitted[call] = admitted
            self._admit()
        try:
            while not admitted.wait(self._patience()):
                with self._lock:
                    self._admit()
            yield
        finally:
            with self._lock:
                self._places.leave(call)
                self._admitted.pop(call, None)
                self._admit()

    def _admit(self) -> None:
        for call in self._places.admit(self._clock()):
            self._admitted.pop(call).set()

    def _patience(self) -> float:
        with self._lock:
            return self._places.next_change(self._clock())
