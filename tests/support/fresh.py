"""Use cases that were made for a world that is over."""

import sys
from collections.abc import Callable

_PACKAGE = "vsl.runtime.use_cases."
_forgetting: list[Callable[[], None]] = []
# Every test forgets, and looking through all modules takes longer than forgetting.
_looked_through = 0


def forget_use_cases() -> None:
    """The next call of a factory makes its use case anew, of the adapters that are there by then."""
    global _looked_through  # noqa: PLW0603 - one for the process, as `sys.modules` is
    if len(sys.modules) != _looked_through:
        _looked_through = len(sys.modules)
        _forgetting[:] = [
            factory.cache_clear
            for name, module in list(sys.modules.items())
            if name.startswith(_PACKAGE)
            for factory in vars(module).values()
            if hasattr(factory, "cache_clear") and factory.__module__ == name
        ]
    for forget in _forgetting:
        forget()
