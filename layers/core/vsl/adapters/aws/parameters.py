"""Secrets and addresses from SSM Parameter Store, by name: those a function wants, in one call.

They are read at run time and kept for five minutes, so that a rotated secret is picked up without
a deployment and no secret ever stands in a function's configuration. Who is refused with a secret
has it read anew at once, though not more often than every ten seconds.

A role allows the names its function uses and no others, so nothing else may be asked for. What is
wanted is known when the first value is: `secret` says it without reading.
"""

import random
import time

from botocore.exceptions import ClientError

from vsl.adapters.aws import clients
from vsl.domain.errors import ConfigurationError, StoreUnavailable

TTL_SECONDS = 300
RENEW_SECONDS = 10
# SSM answers forty calls a second, and a burst of jobs is more cold starts than that. Longest pauses
# before asking again, as long as nothing is known; each takes a random part of it.
PATIENCE = (0.4, 0.8, 1.6)


class Parameters:
    """The parameters below `prefix` (such as `/vsl/homolog/`), by their last path element."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix if prefix.endswith("/") else prefix + "/"
        self._wanted: set[str] = set()
        self._read_names: frozenset[str] = frozenset()
        self._values: dict[str, str] = {}
        self._good_until = 0.0
        self._asked_at = 0.0

    def get(self, name: str) -> str:
        """Raises ConfigurationError, naming the parameter, when it is not set."""
        value = self.find(name)
        if value is None:
            path = self.path(name)
            raise ConfigurationError(f"The SSM parameter {path} is not set.", parameter=path)
        return value

    def find(self, name: str) -> str | None:
        self._wanted.add(name)
        if name not in self._read_names:
            self._read_first()
        elif time.monotonic() > self._good_until:
            self._read_again()
        return self._values.get(name)

    def path(self, name: str) -> str:
        return self._prefix + name

    def secret(self, name: str) -> "Secret":
        self._wanted.add(name)
        return Secret(self, name)

    def renew(self) -> None:
        """Read everything anew, unless that was done a moment ago."""
        if self._wanted and time.monotonic() - self._asked_at >= RENEW_SECONDS:
            self._read_again()

    def _read_again(self) -> None:
        """What is known stays good for a moment longer while SSM is away."""
        try:
            self._load()
        except StoreUnavailable:
            if not self._read_names:
                raise
            self._good_until = time.monotonic() + RENEW_SECONDS

    def _read_first(self) -> None:
        for longest in PATIENCE:
            try:
                return self._load()
            except StoreUnavailable as error:
                if not isinstance(error.__cause__, ClientError):  # that took its time already
                    raise
                time.sleep(random.uniform(0, longest))  # noqa: S311 # nosec B311
        return self._load()

    def _load(self) -> None:
        self._asked_at = time.monotonic()
        names = sorted(self._wanted)
        with clients.translated("SSM"):
            answer = clients.client("ssm").get_parameters(
                Names=[self._prefix + name for name in names], WithDecryption=True
            )
        self._values = {
            parameter["Name"].removeprefix(self._prefix): _unwrapped(parameter["Value"])
            for parameter in answer["Parameters"]
        }
        self._read_names = frozenset(names)
        self._good_until = time.monotonic() + TTL_SECONDS


def _unwrapped(value: str) -> str:
    """Without the line end, the blanks and the quotes that come with copying and pasting."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].strip()
    return value


class Secret:
    """One parameter, asked for at each use."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self._parameters = parameters
        self._name = name
        self._given: str | None = None

    def __call__(self) -> str:
        self._given = self._parameters.get(self._name)
        return self._given

    @property
    def path(self) -> str:
        """Its name in SSM."""
        return self._parameters.path(self._name)

    def changed(self) -> bool:
        """After a refusal: whether SSM has another value by now than was given last."""
        self._parameters.renew()
        return self._parameters.find(self._name) not in {self._given, None}


def changed(source: object) -> bool:
    """Whether a source of a secret has another one by now; one that cannot be asked has not."""
    return isinstance(source, Secret) and source.changed()
