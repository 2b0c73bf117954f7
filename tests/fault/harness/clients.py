"""Clients of AWS and the Redis client in memory, every call of theirs an effect."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import batched
from typing import Any

from tests.fault.harness.effects import Effects
from tests.fault.harness.virtual_time import Scheduler, Signal
from tests.support.aws_calls import refused
from tests.support.memory_pacing import SCRIPTS, MemoryPacing
from vsl.adapters.redis import rate_limits, stores
from vsl.adapters.redis.client import digest
from vsl.domain.api.limits import WINDOW
from vsl.domain.errors import StoreUnavailable


class Client:
    """Makes an effect of every call to `target`; `code` is the service's word for "not now"."""

    def __init__(self, effects: Effects, store: str, target: object, code: str) -> None:
        self._effects = effects
        self._store = store
        self._target = target
        self._code = code

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._target, operation)
        if operation == "exceptions":
            return method

        def call(**arguments: Any) -> Any:
            return self._effects.run(
                self._store,
                operation,
                lambda: method(**arguments),
                self._away,
            )

        return call

    def _away(self, after: bool) -> Exception:
        return refused("InternalServerError" if after else self._code, status=500)


class Lease:
    """The poller's, in virtual time; a contract test has the real one."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._holder: tuple[str, float] | None = None

    def take(self, holder: str, lasts: timedelta) -> bool:
        held = self._holder is not None and self._holder[1] >= self._scheduler.now
        if held and self._holder is not None and self._holder[0] != holder:
            return False
        self._holder = (holder, self._scheduler.now + lasts.total_seconds())
        return True

    def give_back(self, holder: str) -> None:
        if self._holder is not None and self._holder[0] == holder:
            self._holder = None


class TaskToken:
    """A wait for a callback: the first answer counts, and none after its time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.answered = Signal(scheduler)
        self.closed = False
        self.output: str | None = None
        self.failure: tuple[str, str] | None = None


class StepFunctionsClient:
    """The callbacks of Step Functions, and its executions; the interpreter opens and closes the tokens,
    and enters its executions in `statuses`, by ARN."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.tokens: dict[str, TaskToken] = {}
        self.refusals = 0

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn not in self.statuses:
            raise refused("ExecutionDoesNotExist")
        return {"executionArn": executionArn, "status": self.statuses[executionArn]}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803
        token = self._open(taskToken)
        token.output = output
        token.answered.set()
        return {}

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> dict[str, Any]:  # noqa: N803
        token = self._open(taskToken)
        token.failure = (error, cause)
        token.answered.set()
        return {}

    def _open(self, text: str) -> TaskToken:
        token = self.tokens.get(text)
        if token is None:
            raise refused("InvalidToken")
        if token.closed or token.answered.set_already:
            self.refusals += 1
            raise refused("TaskTimedOut" if token.closed else "TaskDoesNotExist")
        return token


class RedisClient:
    """`adapters.redis_client.RedisClient` over a server in memory; keys expire in virtual time."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._server = RedisServer(effects.scheduler)

    def run[Result](self, work: Callable[[Any], Result]) -> Result:
        return self._effects.run(
            "redis",
            "run",
            lambda: work(self._server),
            lambda _after: StoreUnavailable("Redis did not answer."),
        )

    def empty(self) -> None:
        """All that it holds is lost."""
        self._server.empty()

    def keys(self) -> list[str]:
        """Those that have not expired, without being an effect."""
        return self._server.keys()

    def value(self, key: str) -> Any:
        """Without being an effect."""
        return self._server.get(key)

    def members(self, key: str) -> list[str]:
        """Of a sorted set, without being an effect."""
        return sorted(self._server.get(key) or {})


class RedisServer:
    """The commands our stores use, the admission script among them."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._values: dict[str, tuple[Any, float]] = {}
        self.pacing = MemoryPacing()

    def empty(self) -> None:
        self._values.clear()
        self.pacing.clear()

    def get(self, key: str) -> Any:
        value, until = self._values.get(key, (None, 0.0))
        return value if until > self._scheduler.now else None

    def set(self, key: str, value: Any, *, ex: int, nx: bool = False) -> bool:
        if nx and self.get(key) is not None:
            return False
        self._values[key] = (str(value), self._scheduler.now + ex)
        return True

    def keys(self) -> list[str]:
        return sorted(key for key in self._values if self.get(key) is not None)

    def exists(self, key: str) -> bool:
        return self.get(key) is not None

    def evalsha(self, sha: str, number_of_keys: int, *rest: Any) -> Any:
        keys, args = rest[:number_of_keys], rest[number_of_keys:]
        if sha in SCRIPTS:
            return self.pacing.evaluate(SCRIPTS[sha], args)
        scripts = {
            rate_limits.ADMIT: self._admit,
            rate_limits.EXTEND: self._extend,
            stores._PUT: self._put,
        }
        known = {digest(source): script for source, script in scripts.items()}
        return known[sha](keys, args)

    def _put(self, keys: Sequence[str], args: Sequence[Any]) -> int:
        """The script that puts a status, line by line."""
        held = self.get(keys[0])
        if held == "null" or (held is not None and not args[2]):
            return 0
        return int(self.set(keys[0], args[0], ex=args[1]))

    def zrem(self, key: str, member: str) -> int:
        members: dict[str, int] = self.get(key) or {}
        known = members.pop(member, None) is not None
        if not members:
            self._values.pop(key, None)
        return int(known)

    def _admit(self, keys: Sequence[str], args: Sequence[Any]) -> str:
        """The admission script, line by line; an empty set is a key that is not there."""
        hour_key, running_key, limits_key = keys
        job, now, deadline, created, given, *rest = args
        window = round(WINDOW.total_seconds() * 1000)
        per_hour, at_once = self._limits(limits_key, given)
        hour, running = self._members(hour_key), self._members(running_key)
        hour_until, running_until = self._until(hour_key), self._until(running_key)
        missing = 2 * (not hour and not rest) + (per_hour is None)
        if missing:
            return str(4 + missing)
        if not hour:
            for name, at, until in batched(rest[1:], 3):
                hour[name] = at
                if until:
                    running[name] = until
            hour_until = running_until = self._scheduler.now + window / 1000
        hour = {name: at for name, at in hour.items() if at > now - window}
        running = {name: until for name, until in running.items() if until > now}
        mine = not created and hour.get(job) == now
        known = bool(created) or job in hour
        full = 2 if len(hour) >= per_hour else 3 if len(running) >= at_once else 0
        verdict = 0 if mine else 1 if known else full
        if created:
            if created > now - window:
                hour.setdefault(job, created)
                hour_until = self._scheduler.now + window / 1000
            if deadline > now:
                running.setdefault(job, deadline)
                running_until = max(running_until, self._scheduler.now + window / 1000)
        elif verdict == 0 and not mine:
            hour[job], running[job] = now, deadline
            hour_until = self._scheduler.now + window / 1000
            running_until = max(running_until, hour_until)
        self._keep(hour_key, hour, hour_until)
        self._keep(running_key, running, running_until)
        wait = window
        if hour and per_hour:
            wait = sorted(hour.values())[max(0, len(hour) - per_hour)] + window - now
        return f"{verdict} {len(hour)} {len(running)} {wait} {per_hour} {at_once}"

    def _extend(self, keys: Sequence[str], args: Sequence[Any]) -> int:
        """The script that extends a place, line by line."""
        job, now, until = args
        running = self._members(keys[0])
        if job in running:
            running[job] = until
            seconds = max(WINDOW.total_seconds(), (max(running.values()) - now) / 1000)
            self._keep(keys[0], running, self._scheduler.now + seconds)
        return 1

    def _limits(self, key: str, given: str) -> tuple[Any, Any]:
        """As given, and kept if asked to; else as kept, None if they are not."""
        limits, _, keep = given.rpartition(" ")
        if not given:
            limits = self.get(key)
        elif keep != "0":
            self.set(key, limits, ex=int(keep))
        per_hour, at_once = map(int, limits.split()) if limits else (None, None)
        return per_hour, at_once

    def _members(self, key: str) -> dict[str, int]:
        return dict(self.get(key) or {})

    def _until(self, key: str) -> float:
        return self._values.get(key, (None, 0.0))[1]

    def _keep(self, key: str, members: dict[str, int], until: float) -> None:
        self._values.pop(key, None)
        if members:
            self._values[key] = (members, until)


class Announced:
    """SQS and EventBridge: what was told of which job, in order; `durable` is asked each time whether
    its end was written down."""

    def __init__(self, durable: Callable[[str], bool]) -> None:
        self.messages: list[tuple[str, str]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.too_early: list[tuple[str, str]] = []
        self._durable = durable

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> Mapping[str, Any]:  # noqa: N803
        job_id = json.loads(MessageBody)["jobId"]
        self._tell("SQS", job_id)
        self.messages.append((job_id, MessageBody))
        return {}

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        for entry in Entries:
            if entry["DetailType"] == "Budget Reached":
                continue
            job_id = json.loads(entry["Detail"])["jobId"]
            self._tell("EventBridge", job_id)
            self.events.append((job_id, entry))
        return {"FailedEntryCount": 0, "Entries": [{} for _ in Entries]}

    def _tell(self, service: str, job_id: str) -> None:
        if not self._durable(job_id):
            self.too_early.append((job_id, service))


class LambdaClient:
    """Asynchronous invocations; `invoke_later` is the world's own."""

    def __init__(self, invoke_later: Callable[[str, bytes], None]) -> None:
        self._invoke_later = invoke_later

    def invoke(
        self,
        *,
        FunctionName: str,  # noqa: N803
        InvocationType: str,  # noqa: N803
        Payload: bytes,  # noqa: N803
    ) -> Mapping[str, Any]:
        assert InvocationType == "Event"
        self._invoke_later(FunctionName, Payload)
        return {}
