"""One running stack: starts everything at once, watches it, and leaves nothing behind.

Children die with the supervisor by prctl on Linux; besides, a guard process holds the other end of
a pipe and clears up however the supervisor ends (devstack/guard.py). Functions' processes end with
the engine (devstack/worker/bootstrap.py).
"""

import base64
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack import environments
from devstack.deploy import Deployer, Deployment, DeployOptions
from devstack.engine import REGION, Engine
from devstack.paths import REPOSITORY, TEMPLATE, StateFolder
from devstack.processes import ProcessId, free_ports, minimal_environment
from devstack.servers import Postgres, Valkey
from devstack.servers.process import Process, ServerError, spawn, stop, tail
from devstack.stack import (
    SUPERVISOR,
    Recorded,
    forget,
    stop_recorded,
    write_processes,
    write_stack,
)

_READY_SECONDS = 30.0
_TITLES = {
    "postgres": "PostgreSQL",
    "valkey": "Valkey",
    "engine": "AWS engine",
    "replicate": "Replicate stand-in",
    "gateway": "API front",
}


class AlreadyRunningError(RuntimeError):
    """Another supervisor holds this state folder."""


class StackFailedError(RuntimeError):
    """A part of the stack did not start, or stopped by itself."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """`speed` multiplies the time models take at the stand-in; `ports` fixes some by name
    (`api`, `engine`, `replicate`, `postgres`, `valkey`), the others are chosen free. `build` is an
    output of `sam build`, `sam` has it deployed by `sam deploy`."""

    state: StateFolder
    speed: float = 1.0
    ports: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    build: Path | None = None
    sam: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """A part of the stack has become ready, `seconds` after the start."""

    part: str
    seconds: float


class Supervisor:
    """Not to be used twice. `report` is called from several threads."""

    def __init__(self, options: UpOptions, report: Callable[[Progress], None]) -> None:
        self._options = options
        self._state = options.state
        self._report = report
        self._began = time.monotonic()
        self._stopping = threading.Event()
        self._recorded: list[Recorded] = []
        self._watched: list[tuple[str, Process, Path]] = []
        self._recording = threading.Lock()
        self._stops: list[Callable[[], None]] = []
        self._guard: subprocess.Popen[str] | None = None
        self._token = "r8_" + secrets.token_hex(19)[:37]
        self._webhook_secret = _signing_secret()
        self._callback_secret = _signing_secret()

    def run(self, ready: Callable[[dict[str, Any]], None]) -> None:
        """Start, call `ready` with the stack's document, serve until told to stop, stop.

        Raises AlreadyRunningError, StackFailedError, or whatever a part raised when it started.
        """
        self._state.create()
        with _locked(self._state):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, lambda *_: self._stopping.set())
            try:
                document = self._start()
                write_stack(self._state, document)
                ready(document)
                self._watch()
            finally:
                self._stop()

    def _start(self) -> dict[str, Any]:
        stop_recorded(self._state)  # what a supervisor that was killed together with its guard left
        self._state.create()
        environments.ensure(
            (
                "engine",
                "lambda" if self._options.build else "functions",
                *(("sam",) if self._options.sam else ()),
            ),
            lambda text: self._report(Progress(text, time.monotonic() - self._began)),
        )
        self._start_guard()
        chosen = free_ports(5)
        names = ("api", "engine", "replicate", "postgres", "valkey")
        ports = {**dict(zip(names, chosen, strict=True)), **self._options.ports}
        postgres = Postgres(self._state.postgres, ports["postgres"])
        valkey = Valkey(self._state.valkey, ports["valkey"])
        engine = Engine(
            self._state.temporary / "engine",
            ports["engine"],
            self._state.logs / "engine.log",
            self._state.calls,
        )
        with ThreadPoolExecutor(max_workers=6, thread_name_prefix="start") as pool:
            parts = [
                pool.submit(self._start_postgres, postgres),
                pool.submit(self._start_server, "valkey", valkey, valkey.log),
                pool.submit(self._start_replicate, ports["replicate"]),
                pool.submit(self._start_gateway, ports["api"], engine.url),
            ]
            deployment = pool.submit(self._deploy, engine, postgres, valkey, ports)
            _first_failure([*parts, deployment])
        return self._document(deployment.result(), ports, postgres, valkey, engine)

    def _start_postgres(self, postgres: Postgres) -> None:
        self._start_server("postgres", postgres, postgres.log, signal.SIGINT)
        _fresh_database(postgres)
        from database.migrate import migrate  # noqa: PLC0415

        migrate(postgres.url)
        self._done("migrations")

    def _start_server(
        self, name: str, server: Postgres | Valkey, log: Path, number: int = signal.SIGTERM
    ) -> None:
        self._stops.append(server.stop)
        server.start()
        assert server.process is not None  # noqa: S101 - start() sets it or raises
        self._record(name, server.process, log, number)
        self._done(name)

    def _start_replicate(self, port: int) -> None:
        command = [sys.executable, "-m", "devstack.replicate", "--host", "127.0.0.1"]
        command += ["--port", str(port), "--token", self._token, "--json"]
        command += ["--webhook-secret", self._webhook_secret, "--speed", str(self._options.speed)]
        self._start_module("replicate", command, port)

    def _start_gateway(self, port: int, engine_url: str) -> None:
        command = [sys.executable, "-m", "devstack.gateway", "--document", str(self._state.api)]
        command += ["--engine", engine_url, "--port", str(port)]
        self._start_module("gateway", command, port)

    def _start_module(self, name: str, command: list[str], port: int) -> None:
        log = self._state.logs / f"{name}.log"
        environment = {
            **minimal_environment(self._state.temporary),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        process = spawn(command, log, env=environment, cwd=REPOSITORY)
        self._stops.append(lambda: stop(process))
        self._record(name, process, log)
        _await_port(name, process, port, log)
        self._done(name)

    def _deploy(
        self, engine: Engine, postgres: Postgres, valkey: Valkey, ports: Mapping[str, int]
    ) -> Deployment:
        import boto3  # noqa: F401, PLC0415 - a tenth of a second, while the engine starts
        from samtranslator.translator import (  # type: ignore[import-untyped]  # noqa: PLC0415
            translator,  # noqa: F401
        )

        log = self._state.logs / "engine.log"
        self._stops.append(engine.stop)
        engine.start()
        assert engine.process is not None  # noqa: S101 - start() sets it or raises
        self._record("engine", engine.process, log)
        self._done("engine")
        deployment = Deployer(
            deploy_options(
                self._options,
                engine_url=engine.url,
                api_url=f"http://127.0.0.1:{ports['api']}",
                replicate_url=f"http://127.0.0.1:{ports['replicate']}",
                secrets_by_name={
                    "database-url": postgres.url,
                    "redis-url": valkey.url,
                    "replicate-token": self._token,
                    "replicate-webhook-secret": self._webhook_secret,
                    "callback-signing-secret": self._callback_secret,
                },
            )
        ).deploy()
        self._done("deployment of template.yaml")
        return deployment

    def _document(
        self,
        deployment: Deployment,
        ports: Mapping[str, int],
        postgres: Postgres,
        valkey: Valkey,
        engine: Engine,
    ) -> dict[str, Any]:
        return {
            "apiUrl": f"http://127.0.0.1:{ports['api']}",
            "replicateUrl": f"http://127.0.0.1:{ports['replicate']}",
            "awsEndpointUrl": engine.url,
            "databaseUrl": postgres.url,
            "redisUrl": valkey.url,
            "bucket": deployment.bucket,
            "table": deployment.table,
            "stateMachineArn": deployment.state_machine_arn,
            "logs": str(self._state.logs),
            "pid": os.getpid(),
            "state": str(self._state.root),
            "region": REGION,
            "functions": dict(deployment.functions),
            "outputs": dict(deployment.outputs),
            "auth": dict(deployment.auth),
            "replicateToken": self._token,
            "webhookSecret": self._webhook_secret,
            "callbackSecret": self._callback_secret,
            "speed": self._options.speed,
            "parameters": dict(self._options.parameters),
            "build": None if self._options.build is None else str(self._options.build),
            "readyAfterSeconds": round(time.monotonic() - self._began, 2),
        }

    def _start_guard(self) -> None:
        guard = REPOSITORY / "devstack" / "guard.py"
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(guard), str(self._state.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        for path in (
            self._state.temporary,
            self._state.stack,
            self._state.processes,
            self._state.api,
        ):
            self._tell_guard(f"rm {path}")
        self._recorded.append(Recorded(SUPERVISOR, ProcessId.of(os.getpid())))
        write_processes(self._state, self._recorded)

    def _tell_guard(self, line: str) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(f"{line}\n")

    def _record(self, name: str, process: Process, log: Path, number: int = signal.SIGTERM) -> None:
        with self._recording:
            self._watched.append((name, process, log))
            self._recorded.append(Recorded(name, ProcessId.of(process.pid), number))
            self._tell_guard(f"+{process.pid} {int(number)}")
            write_processes(self._state, self._recorded)

    def _done(self, part: str) -> None:
        self._report(Progress(_TITLES.get(part, part), time.monotonic() - self._began))

    def _watch(self) -> None:
        while not self._stopping.wait(0.3):
            for name, process, log in self._watched:
                if process.poll() is not None:
                    raise StackFailedError(
                        f"{name} ended by itself with status {process.returncode}.\n{tail(log)}"
                    )

    def _stop(self) -> None:
        with ThreadPoolExecutor() as pool:
            for each in self._stops:
                pool.submit(each)
        forget(self._state)
        self._tell_guard("bye")
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait(10)


def deploy_options(
    options: UpOptions,
    *,
    engine_url: str,
    api_url: str,
    replicate_url: str,
    secrets_by_name: Mapping[str, str],
) -> DeployOptions:
    return DeployOptions(
        engine_url=engine_url,
        api_url=api_url,
        replicate_url=f"{replicate_url}/v1",
        api_document=options.state.api,
        identity=options.state.identity,
        secrets=secrets_by_name,
        template=TEMPLATE if options.build is None else options.build / "template.yaml",
        built=options.build is not None,
        sam_folder=options.state.temporary / "sam" if options.sam else None,
        parameters=options.parameters,
    )


def _first_failure(parts: list[Future[Any]]) -> None:
    """Wait for all; raise what the first of them raised."""
    for part in parts:
        part.result()


def _fresh_database(postgres: Postgres) -> None:
    """An empty one each time: the engine forgets its tables and objects, so history would dangle."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(
        postgres.url_of("postgres"), autocommit=True, connect_timeout=10
    ) as connection:
        connection.execute("DROP DATABASE IF EXISTS vsl WITH (FORCE)")
        connection.execute("CREATE DATABASE vsl TEMPLATE template0 STRATEGY file_copy")


def _await_port(name: str, process: Process, port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            raise ServerError(f"{name} ended with status {process.returncode}.\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ServerError(f"{name} was not ready after {_READY_SECONDS:g} s.\n{tail(log)}")
        time.sleep(0.02)


@contextlib.contextmanager
def _locked(state: StateFolder) -> Iterator[None]:
    """One supervisor a folder: the lock goes with the process, however it ends."""
    with state.lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunningError(f"A stack in {state.root} is running or starting.") from None
        yield


def _signing_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
