"""The API's routes as methods, and the two that make a whole job: `run` and `subscribe`."""

import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypedDict, Unpack, cast
from urllib.parse import quote

import httpx

from vsl_client.download import save
from vsl_client.errors import VslError, failure
from vsl_client.transport import TIMEOUT, Transport, document, seconds
from vsl_client.types import (
    Accepted,
    Canceled,
    Estimate,
    JobList,
    JobStatus,
    Model,
    ModelSummary,
    WebhookSecret,
)

ENDS = frozenset({"succeeded", "failed", "canceled"})
_WAIT = 20
# Between two questions if the API had no room to hold the first one back.
_SHORTEST_PAUSE = 0.25


class JobOptions(TypedDict, total=False):
    """What POST /jobs takes beside model and parameters."""

    metadata: dict[str, str]
    mediaType: Literal["image", "video", "audio", "text", "file"]
    callbackUrl: str
    callbackEvents: list[Literal["started", "ended"]]
    priority: Literal["interactive", "batch"]


class JobFilters(TypedDict, total=False):
    """The query of GET /jobs."""

    userId: str
    status: Literal["pending", "processing", "storing", "succeeded", "failed", "canceled"]
    mediaType: Literal["image", "video", "audio", "text", "file"]
    modelId: str
    createdAfter: str
    createdBefore: str
    metadata: dict[str, str]
    q: str
    limit: int
    cursor: str


class Client:
    """One deployment. `user_id` is whose jobs these are; with a token it is the token's user.

    `api_key`, `token` (Cognito) or `auth` (such as SigV4) are for the deployment's way to authenticate;
    `headers` go with every request. A request that fails for a while is repeated for `patience` seconds;
    each try may take `timeout`. Every method raises VslError.
    """

    def __init__(
        self,
        url: str,
        *,
        user_id: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        patience: float = 60,
        timeout: httpx.Timeout | float = TIMEOUT,
    ) -> None:
        given = {"x-api-key": api_key, "Authorization": token}
        own = {name: value for name, value in given.items() if value is not None}
        self._user = {} if user_id is None else {"userId": user_id}
        self._transport = Transport(url, {**(headers or {}), **own}, auth, patience, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def run(
        self,
        model_id: str,
        parameters: Mapping[str, Any],
        *,
        key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> JobStatus:
        """The job once it has succeeded; one that failed or was canceled is a VslError with `job`."""
        accepted = self.submit(model_id, parameters, key=key, **options)
        return self.wait(accepted["jobId"])

    def subscribe(
        self,
        model_id: str,
        parameters: Mapping[str, Any],
        *,
        every: int = 2,
        key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Iterator[JobStatus]:
        """The statuses of a new job, with `progress` and `queuePosition`; the last one is its end."""
        accepted = self.submit(model_id, parameters, key=key, **options)
        yield from self.follow(accepted["jobId"], every=every)

    def submit(
        self,
        model_id: str,
        parameters: Mapping[str, Any],
        *,
        key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Accepted:
        """Accept a job. Give a `key` of your own (an order's number) to repeat it beyond this call."""
        body = {**self._user, **options, "modelId": model_id, "parameters": dict(parameters)}
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return cast("Accepted", self.ask("POST", "/jobs", json=body, headers=headers))

    def wait(self, job_id: str) -> JobStatus:
        """The job once it has succeeded, else VslError; see `run`."""
        *_, job = self.follow(job_id, every=_WAIT)
        if job["status"] != "succeeded":
            raise failure(job)
        return job

    def follow(self, job_id: str, *, every: int = 2) -> Iterator[JobStatus]:
        """The job's statuses to its end, when they change and after `every` seconds (at most 25)."""
        status: JobStatus | None = None
        while status is None or status["status"] not in ENDS:
            asked = time.monotonic()
            answer = self.request("GET", _job(job_id), params={**self._user, "wait": every})
            now = cast("JobStatus", _object(answer))
            yield now
            if now["status"] not in ENDS:
                pause = seconds(answer) or 0.0
                if status is not None and status["status"] == now["status"]:
                    pause = max(pause, _SHORTEST_PAUSE - (time.monotonic() - asked))
                time.sleep(max(pause, 0.0))
            status = now

    def status(self, job_id: str, *, parameters: bool = False, wait: int = 0) -> JobStatus:
        """`parameters`: with the job's parameters, defaults filled in. `wait`: hold the answer back for so
        many seconds (at most 25) unless the status changes before."""
        query: dict[str, Any] = {**self._user}
        query |= {"include": "parameters"} if parameters else {}
        query |= {"wait": wait} if wait else {}
        return cast("JobStatus", self.ask("GET", _job(job_id), params=query))

    def jobs(self, **filters: Unpack[JobFilters]) -> JobList:
        """One page, newest first; pass its `nextCursor` as `cursor` for the next one."""
        query: dict[str, Any] = {**self._user, **filters}
        for name, value in query.pop("metadata", {}).items():
            query[f"metadata[{name}]"] = value
        return cast("JobList", self.ask("GET", "/jobs", params=query))

    def cancel(self, job_id: str) -> Canceled:
        return cast("Canceled", self.ask("POST", f"{_job(job_id)}/cancel", params=self._user))

    def delete(self, job_id: str) -> None:
        """Deletes media and personal data."""
        # A second try that finds no job any more has done what the first one was to do.
        self.request("DELETE", _job(job_id), params=self._user, repeated_end={404})

    def models(self) -> list[ModelSummary]:
        return cast("list[ModelSummary]", self.ask("GET", "/models")["models"])

    def model(self, model_id: str) -> Model:
        """With the JSON Schema of its parameters."""
        return cast("Model", self.ask("GET", f"/models/{quote(model_id, safe='')}"))

    def estimate(self, model_id: str, parameters: Mapping[str, Any]) -> Estimate:
        """Cost and time of a job that is not made."""
        path = f"/models/{quote(model_id, safe='')}/estimate"
        body = {**self._user, "parameters": dict(parameters)}
        return cast("Estimate", self.ask("POST", path, json=body))

    def webhook_secret(self) -> WebhookSecret:
        """For `verify_webhook`."""
        return cast("WebhookSecret", self.ask("GET", "/webhook-secret", params=self._user))

    def download(self, job: JobStatus, folder: str | Path) -> list[Path]:
        """All files of a finished job, each checked against its SHA-256."""
        return save(job, Path(folder))

    def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """The JSON object that any route of the API answers; see `request`."""
        return _object(self.request(method, path, **request))

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """What any route of the API answers, those for operators included.

        `request` is as httpx takes it (`params`, `json`, `headers`); with `repeat=False` it is sent once,
        for what must not happen twice; `repeated_end` are statuses that a repetition may end with.
        """
        return self._transport.send(method, path, **request)


def _job(job_id: str) -> str:
    return f"/jobs/{quote(job_id, safe='')}"


def _object(answer: httpx.Response) -> dict[str, Any]:
    found = document(answer)
    if not found:
        raise VslError("NotVsl", "no JSON object came back; is the address right?")
    return found
