"""A client of SSM in memory."""

from collections.abc import Sequence
from typing import Any

PREFIX = "/vsl/test/"


class MemorySsm:
    """The parameters below PREFIX, by their names there; `asked` are the names of each call."""

    def __init__(self, **values: str) -> None:
        self.values = {name.replace("_", "-"): value for name, value in values.items()}
        self.asked: list[list[str]] = []

    def get_parameters(self, *, Names: Sequence[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        assert WithDecryption is True
        names = [name.removeprefix(PREFIX) for name in Names]
        assert 1 <= len(set(names)) == len(names) <= 10, "SSM takes no more in one call"
        self.asked.append(names)
        found = [{"Name": PREFIX + n, "Value": v} for n, v in self.values.items() if n in names]
        return {"Parameters": found, "InvalidParameters": []}
