"""What Redis holds: limits (`rate_limits`), waits (`wait_places`), status cache, webhook deduplication.

| key | holds | lives |
|---|---|---|
| `ratelimit:user:{userId}:hour` | sorted set: jobId by time of admission (ms) | 1 h after the last one |
| `{ratelimit:user:{userId}:hour}:running` | sorted set: jobId by deadline (ms) | 1 h after the last one |
| `{ratelimit:user:{userId}:hour}:limits` | the limits in force for the user | 5 min |
| `{waits}:user:{userId}`, `{waits}:all` | sorted sets: waits by their end (ms) | 1 min after the last one |
| `job:status:{jobId}` | the status document as JSON; `null`: deleted | 1 h when terminal, else 2 s |
| `job:asked:{jobId}` | prompt and metadata as JSON; `null`: deleted | 1 h |
| `webhook:processed:{replicateId}` | `1` | 24 h |

Each operation touches one slot, so a cluster may spread them as it likes.
"""

import json
from collections.abc import Callable
from typing import cast

from vsl.adapters.redis.client import RedisClient, run_script, shared_client
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import AskedDocument, StatusDocument

TERMINAL_SECONDS = 3600
LIVE_SECONDS = 2
WEBHOOK_SECONDS = 86_400

# A live document never takes the place of another, which may be the end of the job; nothing takes the
# place of the seal on a deleted one. ARGV: the document, seconds to live, whether it is the end (0, 1).
_PUT = """
local held = redis.call('GET', KEYS[1])
if held == 'null' or (held and ARGV[3] == '0') then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_SEAL = "null"


class RedisStatusCache:
    """A cache that is away is a cache that misses."""

    def __init__(self, url: Callable[[], str], client: RedisClient | None = None) -> None:
        self._redis = client or shared_client(url)

    def get(self, job_id: str) -> StatusDocument | None:
        try:
            text = self._redis.run(lambda redis: redis.get(_status_key(job_id)))
            return None if text is None else cast("StatusDocument", json.loads(text))
        except (VslError, ValueError):
            return None

    def put(self, document: StatusDocument) -> None:
        terminal = JobStatus(document["status"]).terminal
        seconds = TERMINAL_SECONDS if terminal else LIVE_SECONDS
        keys = [_status_key(document["jobId"])]
        arguments = (json.dumps(document), seconds, int(terminal))
        try:
            self._redis.run(lambda redis: run_script(redis, _PUT, keys, arguments))
        except VslError:
            return

    def asked(self, job_id: str) -> AskedDocument | None:
        try:
            text = self._redis.run(lambda redis: redis.get(_asked_key(job_id)))
            return None if text is None else cast("AskedDocument | None", json.loads(text))
        except (VslError, ValueError):
            return None

    def keep_asked(self, job_id: str, asked: AskedDocument) -> None:
        arguments = (json.dumps(asked), TERMINAL_SECONDS, 0)
        try:
            self._redis.run(lambda redis: run_script(redis, _PUT, [_asked_key(job_id)], arguments))
        except VslError:
            return

    def close(self, job_id: str) -> None:
        self._seal(_status_key(job_id))
        self._seal(_asked_key(job_id))

    def _seal(self, key: str) -> None:
        self._redis.run(lambda redis: redis.set(key, _SEAL, ex=TERMINAL_SECONDS))


class RedisWebhookDeduplication:
    """A hint, never a proof: without an entry here the tracking item decides."""

    def __init__(self, url: Callable[[], str], client: RedisClient | None = None) -> None:
        self._redis = client or shared_client(url)

    def seen(self, replicate_id: str) -> bool:
        try:
            return self._redis.run(lambda redis: redis.exists(_webhook_key(replicate_id)) == 1)
        except VslError:
            return False

    def remember(self, replicate_id: str) -> None:
        try:
            self._redis.run(
                lambda redis: redis.set(_webhook_key(replicate_id), "1", ex=WEBHOOK_SECONDS)
            )
        except VslError:
            return


def _status_key(job_id: str) -> str:
    return f"job:status:{job_id}"


def _asked_key(job_id: str) -> str:
    return f"job:asked:{job_id}"


def _webhook_key(replicate_id: str) -> str:
    return f"webhook:processed:{replicate_id}"
