"""Use cases that were made for a world that is over."""

import sys

_PACKAGE = "vsl.runtime.use_cases."


def forget_use_cases() -> None:
    """The next call of a factory makes its use case anew, of the adapters that are there by then."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGE):
            for factory in vars(module).values():
                if hasattr(factory, "cache_clear") and factory.__module__ == name:
                    factory.cache_clear()
