"""The answers of the API workflow, for routes that speak another protocol."""

from collections.abc import Mapping
from typing import Any

from vsl.domain.errors import InternalError, VslError, error_classes


def problem_error(problem: Mapping[str, Any]) -> VslError:
    """The error behind a problem that the API workflow answered with (RFC 9457)."""
    details = {
        name: value
        for name, value in problem.items()
        if name not in {"type", "title", "status", "code", "detail", "headers"}
    }
    kind = error_classes().get(str(problem.get("code")), InternalError)
    return kind(str(problem.get("detail") or problem.get("title")), **details)
