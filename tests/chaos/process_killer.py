"""What goes wrong for everybody: workers killed in the middle, PostgreSQL and Valkey torn down."""

import os
import random
import signal
from collections import Counter
from contextlib import suppress

import psycopg
import redis

from tests.support.background import Background
from tests.support.processes import children, environment
from tests.support.stack import Stack

# The local engine swallows the death of a function in a callback state until the state's timeout
# (Step Functions would run the state's Retry): such a kill would test the engine, not us.
SPARED = "vsl-local-await-prediction"


class ProcessKiller(Background):
    """Kills Lambda workers by SIGKILL at random moments; `kills` counts them by function."""

    def __init__(self, stack: Stack, seed: int, every: float) -> None:
        super().__init__()
        self.kills: Counter[str] = Counter()
        self._engine = stack.pid_of("engine")
        self._dice = random.Random(seed)
        self._every = every

    def _pause(self) -> float:
        return self._dice.uniform(0.3, 1.7) * self._every

    def _step(self) -> None:
        workers = [worker for worker in _workers(self._engine) if worker[1] != SPARED]
        if not workers:
            return
        pid, function = self._dice.choice(workers)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills[function.removeprefix("vsl-local-")] += 1


def restart_postgres(stack: Stack) -> None:
    """Kill a backend with SIGKILL: the server ends all others, recovers from its log and comes back."""
    connection = psycopg.connect(stack.database_url, autocommit=True)
    os.kill(connection.info.backend_pid, signal.SIGKILL)
    with suppress(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


def restart_valkey(stack: Stack) -> None:
    """The server crashes in the middle of a command and starts anew: data and connections are gone."""
    client = redis.Redis.from_url(str(stack.document["redisUrl"]), socket_timeout=5)
    with suppress(redis.ConnectionError):
        # Milliseconds until it is back.
        client.execute_command("DEBUG", "CRASH-AND-RECOVER", "500")  # type: ignore[no-untyped-call]
    client.close()


def _workers(engine: int) -> list[tuple[int, str]]:
    """The function processes below the engine: process id and function name."""
    names = ((pid, environment(pid).get("AWS_LAMBDA_FUNCTION_NAME")) for pid in children(engine))
    return [(pid, name) for pid, name in names if name]
