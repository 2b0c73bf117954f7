"""What API Gateway counts of its requests, put into the engine's CloudWatch as AWS does by itself."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from devstack.gateway.responses import GatewayError

NAMESPACE = "AWS/ApiGateway"
_EVERY_SECONDS = 1.0


class RequestMetrics:
    """`put` writes data points; what it could not write waits for the next time. Thread-safe."""

    def __init__(self, put: Callable[[str, Sequence[Mapping[str, Any]]], None]) -> None:
        self._put = put
        self._stage = ""
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._counted = threading.Event()
        threading.Thread(target=self._run, name="request-metrics", daemon=True).start()

    def of(self, stage: str) -> str:
        """The requests from now on are of this stage."""
        self._stage = stage
        return stage

    def count(self, status: int) -> None:
        with self._lock:
            self._counts["Count"] += 1
            self._counts["4XXError"] += 400 <= status < 500
            self._counts["5XXError"] += status >= 500
        self._counted.set()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._counted.wait()
            self._counted.clear()
            self.flush()
            pause.wait(_EVERY_SECONDS)

    def flush(self) -> None:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        dimensions = [
            {"Name": "ApiName", "Value": f"vsl-{self._stage}"},
            {"Name": "Stage", "Value": self._stage},
        ]
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": "Count"}
            for name, value in counts.items()
        ]
        try:
            self._put(NAMESPACE, data)
        except GatewayError:
            with self._lock:
                self._counts.update(counts)
