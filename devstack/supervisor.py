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
import shutil
import signal
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
from devstack.child import Child
from devstack.distribution.description import distributes
from devstack.engine import REGION, Engine
from devstack.kept_objects import set_aside
from devstack.paths import REPOSITORY, StateFolder
from devstack.processes import ProcessId, free_ports, is_free, minimal_environment
from devstack.servers import Postgres, Valkey
from devstack.servers.process import Process, tail
from devstack.servers.server import Module, Server
from devstack.stack import (
    SUPERVISOR,
    Recorded,
    forget,
    stop_recorded,
    write_processes,
    write_stack,
)

# Of the API: the same at every start, so that what was written down of it stays true.
USUAL_PORT = 4380
_PORTS = ("api", "engine", "replicate", "postgres", "valkey", "media")


class AlreadyRunningError(RuntimeError):
    """Another supervisor holds this state folder."""


class StackFailedError(RuntimeError):
    """A part of the stack did not start, or stopped by itself."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """`speed` multiplies the time models take at the stand-in, which takes `provider_rate` predictions a
    minute; `ports` fixes some by name
    (`api`, `engine`, `replicate`, `postgres`, `valkey`, `media`), the others, and those that are 0, are
    chosen free; the API's is `USUAL_PORT` if that is. `build` is an output of `sam build`, `sam` has
    it deployed by `sam deploy`. `keep` starts with the jobs and media of the stack before."""

    state: StateFolder
    speed: float = 1.0
    provider_rate: int = 600
    ports: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    build: Path | None = None
    sam: bool = False
    keep: bool = False


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

    def run(self, ready: Callable[[dict[str, Any]], None]) -> None:
        """Start, call `ready` with the stack's document, serve until told to stop, stop.

        Raises AlreadyRunningError, StackFailedError, or the error of a part that did not start.
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
        functions = "lambda" if self._options.build else "functions"
        environments.ensure(
            ("engine", functions, *(("sam",) if self._options.sam else ())), self._done
        )
        self._start_guard()
        ports = self._ports()
        if self._options.keep:
            set_aside(self._state.objects)
        else:
            shutil.rmtree(self._state.objects, ignore_errors=True)
        postgres = Postgres(self._state.postgres, ports["postgres"])
        valkey = Valkey(self._state.valkey, ports["valkey"])
        engine = Engine(
            self._state.temporary / "engine",
            ports["engine"],
            self._state.logs / "engine.log",
            self._state.calls,
            self._state.objects,
        )
        stack = self._document(ports, postgres, valkey, engine)
        with ThreadPoolExecutor(thread_name_prefix="start", max_workers=8) as pool:
            log = self._state.logs / "supervisor.log"
            database = Child("devstack.prepare_database", log)
            deployment = Child("devstack.deployment", log)
            self._stops += [database.stop, deployment.stop]
            started = {
                name: pool.submit(self._start_server, name, server)
                for name, server in {
                    "postgres": postgres,
                    "valkey": valkey,
                    "engine": engine,
                    **self._modules(stack, ports),
                }.items()
            }

            def migrations() -> None:
                started["postgres"].result()
                database.call(
                    url=postgres.url, admin_url=postgres.url_of("postgres"), keep=self._options.keep
                )
                self._done("migrations")

            def deploy() -> dict[str, Any]:
                started["engine"].result()
                deployed: dict[str, Any] = deployment.call(stack=stack, sam=self._options.sam)
                self._done("deployment of template.yaml")
                return deployed

            migrated, deployed = pool.submit(migrations), pool.submit(deploy)
            parts: list[Future[Any]] = [*started.values(), migrated, deployed]
            for each in parts:
                each.result()
        database.stop()
        deployment.stop()
        if self._options.build is None:
            engine.warm_workers()
        seconds = round(time.monotonic() - self._began, 2)
        return {**stack, **deployed.result(), "readyAfterSeconds": seconds}

    def _ports(self) -> dict[str, int]:
        free = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        if "api" not in self._options.ports and is_free(USUAL_PORT):
            free["api"] = USUAL_PORT
        return {name: self._options.ports.get(name) or port for name, port in free.items()}

    def _start_server(self, name: str, server: Server) -> None:
        self._stops.append(server.stop)
        server.start()
        assert server.process is not None  # noqa: S101 - start() sets it or raises
        number = server.signals[0]
        with self._recording:
            self._watched.append((name, server.process, server.log))
            self._recorded.append(Recorded(name, ProcessId.of(server.process.pid), number))
            self._tell_guard(f"+{server.process.pid} {int(number)}")
            write_processes(self._state, self._recorded)
        self._done(server.title)

    def _modules(self, stack: Mapping[str, Any], ports: Mapping[str, int]) -> dict[str, Server]:
        environment = {
            **minimal_environment(self._state.temporary),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        replicate = ["devstack.replicate", "--host", "127.0.0.1", "--json"]
        replicate += ["--token", stack["replicateToken"], "--speed", str(self._options.speed)]
        replicate += ["--create-rate", str(self._options.provider_rate)]
        replicate += ["--webhook-secret", stack["webhookSecret"]]
        replicate += ["--models", str(self._state.provider)]
        gateway = ["devstack.gateway", "--document", str(self._state.api)]
        gateway += ["--engine", stack["awsEndpointUrl"]]
        logs = self._state.logs
        distribution: dict[str, Server] = {}
        if "mediaUrl" in stack:
            words = ["devstack.distribution", "--description", str(self._state.distribution)]
            words += ["--engine", stack["awsEndpointUrl"]]
            log = logs / "distribution.log"
            front = Module("Distribution of files", ports["media"], log, words, environment)
            distribution["distribution"] = front
        return {
            **distribution,
            "replicate": Module(
                "Replicate stand-in",
                ports["replicate"],
                logs / "replicate.log",
                replicate,
                environment,
                gives_way=True,  # it draws pictures
            ),
            "gateway": Module(
                "API front", ports["api"], logs / "gateway.log", gateway, environment
            ),
        }

    def _document(
        self, ports: Mapping[str, int], postgres: Postgres, valkey: Valkey, engine: Engine
    ) -> dict[str, Any]:
        """What stack.json says of the stack before its deployment."""
        return {
            "apiUrl": f"http://127.0.0.1:{ports['api']}",
            "replicateUrl": f"http://127.0.0.1:{ports['replicate']}",
            "awsEndpointUrl": engine.url,
            **self._media_url(ports["media"]),
            "databaseUrl": postgres.url,
            "redisUrl": valkey.url,
            "logs": str(self._state.logs),
            "pid": os.getpid(),
            "state": str(self._state.root),
            "region": REGION,
            "replicateToken": "r8_" + secrets.token_hex(19)[:37],
            "webhookSecret": _signing_secret(),
            "callbackSecret": _signing_secret(),
            "ownerNameSecret": secrets.token_hex(32),
            "speed": self._options.speed,
            "parameters": dict(self._options.parameters),
            "build": None if self._options.build is None else str(self._options.build),
        }

    def _media_url(self, port: int) -> dict[str, str]:
        """Of the distribution, for a stack that has one."""
        distributed = distributes(self._options.parameters)
        return {"mediaUrl": f"http://127.0.0.1:{port}"} if distributed else {}

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
        state = self._state
        for path in (state.temporary, state.stack, state.processes, state.api, state.distribution):
            self._tell_guard(f"rm {path}")
        self._recorded.append(Recorded(SUPERVISOR, ProcessId.of(os.getpid())))
        write_processes(self._state, self._recorded)

    def _tell_guard(self, line: str) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(f"{line}\n")

    def _done(self, part: str) -> None:
        self._report(Progress(part, time.monotonic() - self._began))

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
