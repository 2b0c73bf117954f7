"""template.yaml and the API document, read once: what tests compare the code with."""

from functools import cache
from pathlib import Path
from typing import Any

from devstack.template import load_yaml

REPOSITORY = Path(__file__).resolve().parents[2]


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = load_yaml(REPOSITORY / "template.yaml")
    return loaded


@cache
def api_source() -> dict[str, Any]:
    """api/openapi.yaml as it is written. Nobody changes it."""
    loaded: dict[str, Any] = load_yaml(REPOSITORY / "api" / "openapi.yaml")
    return loaded


def resource(logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = template()["Resources"][logical_id]
    return found
