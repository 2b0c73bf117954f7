"""Secrets and addresses from SSM Parameter Store, all of one path in one call.

They are read at run time and kept for five minutes, so that a rotated secret is picked up without
a deployment and no secret ever stands in a function's configuration. Who is refused with a secret
has it read anew at once, though not more often than every ten seconds.
"""

import time

from vsl.adapters.signed import call_json
from vsl.domain.errors import ConfigurationError, StoreUnavailable

TTL_SECONDS = 300
RENEW_SECONDS = 10
MAX_PAGES = 20  # of ten parameters


class Parameters:
    """The parameters below `prefix` (such as `/vsl/homolog/`), by their last path element."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix if prefix.endswith("/") else prefix + "/"
        self._values: dict[str, str] | None = None
        self._good_until = 0.0
        self._asked_at = 0.0

    def get(self, name: str) -> str:
        """Raises ConfigurationError, naming the parameter, when it is not set."""
        value = self.find(name)
        if value is None:
            path = self._prefix + name
            raise ConfigurationError(f"The SSM parameter {path} is not set.", parameter=path)
        return value

    def find(self, name: str) -> str | None:
        if self._values is None or time.monotonic() > self._good_until:
            self._read()
        return (self._values or {}).get(name)

    def secret(self, name: str) -> "Secret":
        return Secret(self, name)

    def renew(self) -> None:
        """Read everything anew, unless that was done a moment ago."""
        if time.monotonic() - self._asked_at >= RENEW_SECONDS:
            self._read()

    def _read(self) -> None:
        """What is known stays good for a moment longer while SSM is away."""
        self._asked_at = time.monotonic()
        try:
            self._values = self._load()
        except StoreUnavailable:
            if self._values is None:
                raise
            self._good_until = time.monotonic() + RENEW_SECONDS
        else:
            self._good_until = time.monotonic() + TTL_SECONDS

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


class Secret:
    """One parameter, asked for at each use."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self._parameters = parameters
        self._name = name
        self._given: str | None = None

    def __call__(self) -> str:
        self._given = self._parameters.get(self._name)
        return self._given

    def changed(self) -> bool:
        """After a refusal: whether SSM has another value by now than was given last."""
        self._parameters.renew()
        return self._parameters.find(self._name) not in {self._given, None}


def changed(source: object) -> bool:
    """Whether a source of a secret has another one by now; one that cannot be asked has not."""
    return isinstance(source, Secret) and source.changed()
