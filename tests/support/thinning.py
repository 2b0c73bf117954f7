"""Tables of which `make test` runs some rows and `make test-all` every one."""

from collections.abc import Iterable
from typing import Any

import pytest


def thinned(rows: Iterable[Any], every: int = 10) -> list[Any]:
    """Each so many-th row as it is, all others marked as thorough."""
    return [
        pytest.param(row, marks=pytest.mark.thorough) if number % every else row
        for number, row in enumerate(rows)
    ]
