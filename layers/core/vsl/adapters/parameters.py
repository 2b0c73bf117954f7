"""Secrets and addresses from SSM Parameter Store, all of one path in one call.

They are read at run time and kept for five minutes, so that a rotated secret is picked up without
a deployment and no secret ever stands in a function's configuration.
"""

import time

from vsl.adapters.signed import call_json
from vsl.domain.errors import ConfigurationError

TTL_SECONDS = 300
MAX_PAGES = 20  # of ten parameters


class Parameters:
    """The parameters below `prefix` (such as `/vsl/homolog/`), by their last path element."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix if prefix.endswith("/") else prefix + "/"
        self._values: dict[str, str] = {}
        self._loaded_at: float | None = None

    def get(self, name: str) -> str:
        """Raises ConfigurationError, naming the parameter, when it is not set."""
        value = self.find(name)
        if value is None:
            path = self._prefix + name
            raise ConfigurationError(f"The SSM parameter {path} is not set.", parameter=path)
        return value

    def find(self, name: str) -> str | None:
        if self._loaded_at is None or time.monotonic() - self._loaded_at > TTL_SECONDS:
            self._values = self._load()
            self._loaded_at = time.monotonic()
        return self._values.get(name)

    def _load(self) -> dict[str, str]:
        found: dict[str, str] = {}
        asked: dict[str, object] = {"Path": self._prefix, "WithDecryption": True}
        for _ in range(MAX_PAGES):
            page = call_json("ssm", "AmazonSSM.GetParametersByPath", asked)
            for parameter in page["Parameters"]:
                found[parameter["Name"].removeprefix(self._prefix)] = parameter["Value"]
            if not page.get("NextToken"):
                break
            asked["NextToken"] = page["NextToken"]
        return found
