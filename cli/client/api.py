"""The HTTP API as the command line uses it: timeouts, careful repetition, problems as errors."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote

import httpx

from cli.client.errors import CommandError, Exit, refusal
from cli.client.network import trusts_environment
from cli.client.target import Target

# API Gateway gives up after 29 seconds; a client that hangs up earlier misses its answer.
TIMEOUT = httpx.Timeout(35.0, connect=5.0)
TRIES = 4
PAUSE_SECONDS = 0.5
_LONGEST_PAUSE = 5.0
_TEMPORARY = {502, 503, 504}
_PAGE = 100
ENDS = frozenset({"succeeded", "failed", "canceled"})


class Api:
    """One target. Only what may be done twice is repeated: reads, cancel, delete, a keyed generate."""

    def __init__(
        self, target: Target, timeout: httpx.Timeout | float = TIMEOUT, tries: int = TRIES
    ) -> None:
        self.target = target
        self._tries = tries
        self._client = httpx.Client(
            timeout=timeout,
            headers=dict(target.headers),
            auth=target.auth,
            trust_env=trusts_environment(target.url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def models(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("/models").json()["models"]
        return found

    def model(self, model_id: str) -> dict[str, Any]:
        return self._document(self._get(f"/models/{quote(model_id, safe='')}"))

    def generate(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Accept a job. Repeated with the same key while the outcome is unknown."""
        again = {*_TEMPORARY, 409}
        headers = {"Idempotency-Key": key}
        answer = self._send("POST", "/generate-media", again, json=dict(body), headers=headers)
        return self._document(answer)

    def estimate(self, model_id: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        body = {"parameters": dict(parameters), **self.as_user()}
        path = f"/models/{quote(model_id, safe='')}/estimate"
        return self._document(self._send("POST", path, _TEMPORARY, json=body))

    def status(self, job_id: str, *, wait: int = 0, include: str | None = None) -> dict[str, Any]:
        """`wait`: hold the answer back for so many seconds unless the status changes before."""
        query: dict[str, str | int | None] = {"include": include, "wait": wait or None}
        return self._document(self._get(f"/status/{job_id}", **query, **self.as_user()))

    def timeline(self, job_id: str) -> dict[str, Any]:
        return self._document(self._get(f"/jobs/{job_id}/timeline", **self.as_user()))

    def callbacks(self, job_id: str) -> dict[str, Any]:
        return self._document(self._get(f"/jobs/{job_id}/callbacks", **self.as_user()))

    def replay_callback(self, job_id: str) -> dict[str, Any]:
        """Asked twice, the client is called twice; it knows the second by its webhook-id."""
        path = f"/jobs/{job_id}/callbacks/replay"
        return self._document(self._send("POST", path, set(), params=self.as_user()))

    def webhook_secret(self) -> dict[str, Any]:
        return self._document(self._get("/webhook-secret", **self.as_user()))

    def cancel(self, job_id: str) -> dict[str, Any]:
        path = f"/jobs/{job_id}/cancel"
        return self._document(self._send("POST", path, _TEMPORARY, params=self.as_user()))

    def delete(self, job_id: str) -> None:
        """A second try that finds no job any more has done what the first one was to do."""
        path, gone = f"/jobs/{job_id}", frozenset({404})
        self._send("DELETE", path, _TEMPORARY, gone, params=self.as_user())

    def jobs(self, **filters: str | int | None) -> dict[str, Any]:
        """One page of `{"jobs", "nextCursor"}`; filters are the query parameters of GET /jobs."""
        return self._document(self._get("/jobs", **filters))

    def every_job(self, wanted: int, **filters: str | int | None) -> Iterator[dict[str, Any]]:
        """Jobs over as many pages as it takes, at most `wanted`."""
        cursor = filters.pop("cursor", None)
        found = 0
        while found < wanted:
            limit = min(_PAGE, wanted - found)
            page = self.jobs(**filters, limit=limit, cursor=cursor)
            yield from page["jobs"]
            found += len(page["jobs"])
            cursor = page["nextCursor"]
            if cursor is None:
                return

    def budget(self) -> dict[str, Any]:
        return self._document(self._get("/budget", **self.as_user()))

    def usage(self, **query: str | None) -> dict[str, Any]:
        return self._document(self._get("/usage", **query))

    def usage_csv(self, **query: str | None) -> str:
        return self._get("/usage", format="csv", **query).text

    def budgets(self, owner: str) -> dict[str, Any]:
        return self._document(self._get(f"/budgets/{quote(owner, safe='')}"))

    def set_budget(self, owner: str, period: str, limit: str | None) -> dict[str, Any]:
        path, body = f"/budgets/{quote(owner, safe='')}", {"period": period, "limit": limit}
        return self._document(self._send("PUT", path, _TEMPORARY, json=body))

    def grant_credits(self, user: str, amount: str, key: str) -> dict[str, Any]:
        body, headers = {"userId": user, "amount": amount}, {"Idempotency-Key": key}
        return self._document(
            self._send("POST", "/credits", _TEMPORARY, json=body, headers=headers)
        )

    def ledger(self, job_id: str) -> dict[str, Any]:
        return self._document(self._get("/ledger", jobId=job_id))

    def create_key(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        headers = {"Idempotency-Key": key}
        return self._document(self._send("POST", "/keys", set(), json=dict(body), headers=headers))

    def keys(self, **query: str | int | None) -> dict[str, Any]:
        """One page of `{"keys", "nextCursor"}`."""
        return self._document(self._get("/keys", **query))

    def revoke_key(self, key_id: str) -> None:
        self._send("DELETE", f"/keys/{quote(key_id, safe='')}", _TEMPORARY)

    def create_upload(self, content_type: str, size: int, file_name: str) -> dict[str, Any] | None:
        """Where to send a file; None where the deployment takes no uploads (API Gateway: 403)."""
        body = {
            **self.as_user(),
            "contentType": content_type,
            "size": size,
            "fileName": file_name,
        }
        try:
            return self._document(self._send("POST", "/uploads", _TEMPORARY, json=body))
        except CommandError as error:
            if error.code in {"Forbidden", "MissingAuthenticationToken"}:
                return None
            raise

    def as_user(self) -> dict[str, str]:
        """How a request names the user; not at all where the key does."""
        return {"userId": self.target.user} if self.target.user else {}

    def _get(self, path: str, **query: str | int | None) -> httpx.Response:
        given = {name: value for name, value in query.items() if value is not None}
        return self._send("GET", path, {*_TEMPORARY, 429}, params=given)

    def _send(
        self,
        method: str,
        path: str,
        again: set[int],
        fine_when_repeated: frozenset[int] = frozenset(),
        **request: Any,
    ) -> httpx.Response:
        """Raises CommandError; `again` are the statuses after which the same request is repeated."""
        for left in reversed(range(self._tries)):
            try:
                answer = self._client.request(method, self.target.url + path, **request)
            except httpx.TransportError as error:
                if not left:
                    raise self._unreachable(error) from error
                time.sleep(PAUSE_SECONDS * 2 ** (self._tries - left - 1))
                continue
            except httpx.InvalidURL as error:
                raise self._unreachable(error) from error
            repeated = left < self._tries - 1
            if answer.is_success or (repeated and answer.status_code in fine_when_repeated):
                return answer
            pause = _pause(answer, PAUSE_SECONDS * 2 ** (self._tries - left - 1))
            problem = _problem(answer)
            temporary = answer.status_code in again and problem.get("code") != "ModelFrozen"
            if not left or not temporary or pause > _LONGEST_PAUSE:
                raise refusal(answer.status_code, problem)
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _unreachable(self, error: Exception) -> CommandError:
        local = self.target.document is not None
        hint = "`vsl status` tells whether the stack runs." if local else "Is the address right?"
        message = f"{self.target.url} does not answer: {error or type(error).__name__}"
        return CommandError("Unreachable", message, Exit.UNAVAILABLE, hint)

    def _document(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            message = f"{self.target.url} does not speak like VSL: no JSON object came back."
            hint = "Is the address right?"
            raise CommandError("NotVsl", message, Exit.UNAVAILABLE, hint)
        return document


def _pause(answer: httpx.Response, otherwise: float) -> float:
    try:
        return float(answer.headers.get("Retry-After", otherwise))
    except ValueError:
        return otherwise


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
