"""A use case is made once in a process, not for each event."""

import importlib
import inspect
import pkgutil
from functools import _lru_cache_wrapper

from vsl.runtime import use_cases

MODULES = [
    importlib.import_module(f"{use_cases.__name__}.{module.name}")
    for module in pkgutil.iter_modules(use_cases.__path__)
]


def test_what_needs_nothing_but_its_process_is_kept() -> None:
    kept = 0
    for module in MODULES:
        for name, factory in inspect.getmembers(module, callable):
            own = getattr(factory, "__module__", None) == module.__name__
            if not own or inspect.signature(factory).parameters:
                continue
            made = str(inspect.signature(factory).return_annotation)
            if made[:1].isupper() and made != "Provider":  # a use case, not a part of one
                assert isinstance(factory, _lru_cache_wrapper), name
                kept += 1
    assert kept > 25
