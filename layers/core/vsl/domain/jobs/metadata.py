"""The caller's own words about a job: key and value are text, and VSL reads neither."""

import json
import re
from collections.abc import Mapping

from vsl.domain.suggestions import named

MAX_BYTES = 2048
MAX_KEY = 40
_KEY = re.compile(rf"[A-Za-z0-9_.:-]{{1,{MAX_KEY}}}")
_KEY_RULE = f"must be named with 1 to {MAX_KEY} letters, digits or _ . : -"
_MAX_REPORTED_FAULTS = 20


def read_metadata(given: object) -> tuple[dict[str, str], dict[str, str]]:
    """What is good of it, and each fault by its path."""
    if not isinstance(given, Mapping):
        return {}, {"metadata": "must be an object"}
    good: dict[str, str] = {}
    faults: dict[str, str] = {}
    for key, value in given.items():
        fault = fault_of(key, value)
        if fault is None:
            good[key] = value
        elif len(faults) < _MAX_REPORTED_FAULTS:
            faults[f"metadata.{named(key)}"] = fault
    size = len(json.dumps(good, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        faults["metadata"] = f"must have at most {MAX_BYTES:,} bytes as JSON, not {size:,}"
    return good, faults


def fault_of(key: object, value: object) -> str | None:
    """What no store could keep, or no query could ask for."""
    if not isinstance(key, str) or _KEY.fullmatch(key) is None:
        return _KEY_RULE
    if not isinstance(value, str):
        return "must be text"
    return "must not have the character U+0000" if "\0" in value else None
