"""Clients of AWS and the Redis client in memory, every call of theirs an effect."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from tests.fault.harness.dynamodb import DynamoDBClient
from tests.fault.harness.effects import Effects
from tests.fault.harness.virtual_time import Scheduler, Signal
from vsl.adapters import redis_limits, redis_stores
from vsl.adapters.json_client import Refused
from vsl.domain.admission import WINDOW
from vsl.domain.errors import StoreUnavailable


class Client:
    """Makes an effect of every call to `target`; `code` is boto3's word for "not now", if it is
    called by boto3."""

    def __init__(self, effects: Effects, store: str, target: object, code: str | None) -> None:
        self._effects = effects
        self._store = store
        self._target = target
        self._code = code

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._target, operation)

        def call(**arguments: Any) -> Any:
            return self._effects.run(
                self._store,
                operation,
                lambda: method(**arguments),
                lambda after: self._away(operation, after),
            )

        return call

    def _away(self, operation: str, after: bool) -> Exception:
        if self._code is None:
            return StoreUnavailable(f"{self._store} did not answer.", service=self._store)
        return refused(operation, "InternalServerError" if after else self._code, 500)


def refused(operation: str, code: str, status: int = 400) -> ClientError:
    """The error boto3 raises when AWS answers with this code."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": code},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]
        },
        operation,
    )


class S3Client:
    """One bucket: keys to bodies."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts: list[str] = []
        self._uploads: dict[str, dict[int, bytes]] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.objects[Key] = bytes(Body)
        self.puts.append(Key)
        return {}

    def get_object(self, *, Key: str, Range: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        body = self._body(Key, "NoSuchKey")
        if Range is not None:
            first, last = Range.removeprefix("bytes=").split("-")
            body = body[int(first) : int(last) + 1]
        return {"Body": io.BytesIO(body)}

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"ContentLength": len(self._body(Key, "404"))}

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        upload = f"upload-{len(self._uploads)}"
        self._uploads[upload] = {}
        return {"UploadId": upload}

    def upload_part(
        self,
        *,
        UploadId: str,  # noqa: N803
        PartNumber: int,  # noqa: N803
        Body: bytes,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        self._upload(UploadId)[PartNumber] = bytes(Body)
        return {"ETag": f"etag-{PartNumber}"}

    def complete_multipart_upload(self, *, Key: str, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        parts = self._upload(UploadId)
        self.put_object(Key=Key, Body=b"".join(parts[number] for number in sorted(parts)))
        del self._uploads[UploadId]
        return {}

    def abort_multipart_upload(self, *, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._uploads.pop(UploadId, None)
        return {}

    def _upload(self, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self._uploads:
            raise refused("UploadPart", "NoSuchUpload", 404)
        return self._uploads[upload_id]

    def _body(self, key: str, absent: str) -> bytes:
        if key not in self.objects:
            raise refused("GetObject", absent, 404)
        return self.objects[key]

    def holds(self, key: str, size: int, sha256: str) -> bool:
        body = self.objects.get(key)
        return body is not None and len(body) == size and hashlib.sha256(body).hexdigest() == sha256


class TaskToken:
    """A wait for a callback: the first answer counts, and none after its time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.answered = Signal(scheduler)
        self.closed = False
        self.output: str | None = None
        self.failure: tuple[str, str] | None = None


class StepFunctionsClient:
    """The callbacks of Step Functions; the interpreter opens and closes the tokens."""

    def __init__(self) -> None:
        self.tokens: dict[str, TaskToken] = {}
        self.refusals = 0

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
            raise Refused("InvalidToken", {})
        if token.closed or token.answered.set_already:
            self.refusals += 1
            raise Refused("TaskTimedOut" if token.closed else "TaskDoesNotExist", {})
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

    def keys(self) -> list[str]:
        """Those that have not expired, without being an effect."""
        return self._server.keys()

    def members(self, key: str) -> list[str]:
        """Of a sorted set, without being an effect."""
        return sorted(self._server.get(key) or {})


class RedisServer:
    """The commands our stores use, the admission script among them."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._values: dict[str, tuple[Any, float]] = {}

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

    def script(self, source: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        return {redis_limits.ADMIT: self._admit, redis_stores._PUT: self._put}[source](keys, args)

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
        job, now, deadline, old, given, *rest = args
        window = round(WINDOW.total_seconds() * 1000)
        per_hour, at_once = self._limits(limits_key, given)
        hour, running = self._members(hour_key), self._members(running_key)
        hour_until, running_until = self._until(hour_key), self._until(running_key)
        missing = 2 * (not hour and not rest) + (per_hour is None)
        if missing:
            return str(4 + missing)
        if not hour:
            for name, at, until in batched(rest[1:], 3, strict=True):
                hour[name] = at
                if until:
                    running[name] = until
            hour_until = running_until = self._scheduler.now + window / 1000
        known = old or job in hour
        hour = {name: at for name, at in hour.items() if at > now - window}
        running = {name: until for name, until in running.items() if until > now}
        verdict = (
            1 if known else 2 if len(hour) >= per_hour else 3 if len(running) >= at_once else 0
        )
        if verdict == 0:
            hour[job], running[job] = now, deadline
            hour_until = running_until = self._scheduler.now + window / 1000
        self._keep(hour_key, hour, hour_until)
        self._keep(running_key, running, running_until)
        wait = window
        if hour and per_hour:
            wait = sorted(hour.values())[max(0, len(hour) - per_hour)] + window - now
        return f"{verdict} {len(hour)} {len(running)} {wait} {per_hour} {at_once}"

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
    """SQS and EventBridge: what was told, in order, `durable` asked each time whether it was written down."""

    def __init__(self, durable: Callable[[], bool]) -> None:
        self.messages: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.too_early: list[str] = []
        self._durable = durable

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> Mapping[str, Any]:  # noqa: N803
        self._tell("SQS")
        self.messages.append(MessageBody)
        return {}

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        self._tell("EventBridge")
        self.events += Entries
        return {"FailedEntryCount": 0, "Entries": [{} for _ in Entries]}

    def _tell(self, service: str) -> None:
        if not self._durable():
            self.too_early.append(service)


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


__all__ = [
    "Announced",
    "Client",
    "DynamoDBClient",
    "LambdaClient",
    "RedisClient",
    "S3Client",
    "StepFunctionsClient",
    "TaskToken",
]
