"""A version of a model: what it takes and gives, how long it takes, what it costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devstack.replicate.media.request import Production, Request
from devstack.replicate.schemas.interface import Interface

A100 = 0.0014  # US dollars a second
L40S = 0.000975
T4 = 0.000225
WARM = 0.011  # seconds from the create request to the start

Input = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """`seconds` is the usual predict_time; `price` the US dollars of (input, outputs, predict_time).

    Official models are called by name, never cold and priced by output; all others are pinned to
    a version and priced by the second of GPU time. `produce` makes the output or raises ModelFailed.
    """

    owner: str
    name: str
    version: str
    version_created_at: str
    cog_version: str
    official: bool
    description: str
    interface: Interface
    produce: Callable[[Request], Production]
    seconds: Callable[[Input], float]
    price: Callable[[Input, int, float], float]
    boot_seconds: float
    run_count: int = 0
    default_example: Mapping[str, Any] | None = None

    @property
    def reference(self) -> str:
        return f"{self.owner}/{self.name}"

    def with_defaults(self, asked: Input) -> dict[str, Any]:
        return self.interface.with_defaults(asked)


def gpu(rate: float) -> Callable[[Input, int, float], float]:
    return lambda _input, _outputs, predict_time: rate * predict_time
