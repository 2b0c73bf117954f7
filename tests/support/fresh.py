"""Use cases that were made for a world that is over."""

import sys
from collections.abc import Callable
from types import ModuleType

_PACKAGE = "vsl.runtime.use_cases."
# By module: which functions those are does not change, and every test asks.
_forgetting: dict[ModuleType, list[Callable[[], None]]] = {}


def forget_use_cases() -> None:
    """The next call of a factory makes its use case anew, of the adapters that are there by then."""
    for name in [name for name in sys.modules if name.startswith(_PACKAGE)]:
        for forget in _factories(name, sys.modules[name]):
            forget()


def _factories(name: str, module: ModuleType) -> list[Callable[[], None]]:
    if module not in _forgetting:
        _forgetting[module] = [
            factory.cache_clear
            for factory in vars(module).values()
            if hasattr(factory, "cache_clear") and factory.__module__ == name
        ]
    return _forgetting[module]
