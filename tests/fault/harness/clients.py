"""boto3 clients and the Redis client in memory, every call of theirs an effect."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.fault.harness.dynamodb import DynamoDBClient, refused
from tests.fault.harness.effects import Effects
from tests.fault.harness.virtual_time import Scheduler, Signal
from vsl.adapters import redis_stores
from vsl.domain.errors import StoreUnavailable


class Client:
    """Makes an effect of every call to `target`; `code` is the store's word for "not now"."""

    def __init__(self, effects: Effects, store: str, target: object, code: str) -> None:
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
                lambda after: refused(
                    operation, "InternalServerError" if after else self._code, 500
                ),
            )

        return call


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
            raise refused("SendTask", "InvalidToken")
        if token.closed or token.answered.set_already:
            self.refusals += 1
            raise refused("SendTask", "TaskTimedOut" if token.closed else "TaskDoesNotExist")
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

    def exists(self, key: str) -> int:
        return int(self.get(key) is not None)

    def register_script(self, source: str) -> Callable[..., int]:
        return {redis_stores._ADMIT: self._admit, redis_stores._PUT: self._put}[source]

    def _put(self, keys: Sequence[str], args: Sequence[Any], client: Any) -> int:
        """The script that puts a status, line by line."""
        held = self.get(keys[0])
        if held == "null" or (held is not None and not args[2]):
            return 0
        return int(self.set(keys[0], args[0], ex=args[1]))

    def _admit(self, keys: Sequence[str], args: Sequence[Any], client: Any) -> int:
        """The admission script, line by line; an empty window is a key that is not there."""
        key, (now, window, limit, job_id, known) = keys[0], args[:5]
        admitted: dict[str, int] | None = self.get(key)
        until = self._scheduler.now + window / 1000
        if admitted is None:
            if not known:
                return -2
            admitted = {f"earlier:{n}": at for n, at in enumerate(args[5:])}
        else:
            until = self._values[key][1]
        admitted = {name: at for name, at in admitted.items() if at > now - window}
        answer = -1
        if job_id not in admitted:
            if len(admitted) < limit:
                admitted[job_id] = now
                until = self._scheduler.now + window / 1000
            else:
                leaving = sorted(admitted.values())[len(admitted) - limit] if limit else now
                answer = int(leaving + window - now)
        self._values.pop(key, None)
        if admitted:
            self._values[key] = (admitted, until)
        return answer


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
    "Client",
    "DynamoDBClient",
    "LambdaClient",
    "RedisClient",
    "S3Client",
    "StepFunctionsClient",
    "TaskToken",
]
