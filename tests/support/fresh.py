"""Use cases that were made for a world that is over."""

import sys
from collections.abc import Callable
from types import ModuleType

_PACKAGE = "vsl.runtime.use_cases"
_forgetting: dict[ModuleType, list[Callable[[], None]]] = {}
"""By module: every test asks, and which functions those are does not change."""


def forget_use_cases() -> None:
    """The next call of a factory makes its use case anew, of the adapters that are there by then."""
    package = sys.modules.get(_PACKAGE)
    for module in list(vars(package).values()) if package else ():
        if isinstance(module, ModuleType):
            if module not in _forgetting:
                _forgetting[module] = _factories(module)
            for forget in _forgetting[module]:
                forget()


def _factories(module: ModuleType) -> list[Callable[[], None]]:
    return [
        factory.cache_clear
        for factory in vars(module).values()
        if hasattr(factory, "cache_clear") and factory.__module__ == module.__name__
    ]
