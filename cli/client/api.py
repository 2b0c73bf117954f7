"""The HTTP API as the command line uses it: the Python client, with its errors as those of a command."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from cli.client.errors import CommandError, Exit, refusal
from cli.client.target import Target
from vsl_client.client import Client
from vsl_client.errors import VslError

# Seconds for which a request is repeated; a person waits.
PATIENCE = 5.0
# API Gateway gives up after 29 seconds; a client that hangs up earlier misses its answer.
TIMEOUT = httpx.Timeout(35.0, connect=5.0)
_PAGE = 100


class Api(Client):
    """One target. What must not happen twice is sent once. Every method raises CommandError."""

    def __init__(
        self,
        target: Target,
        timeout: httpx.Timeout | float = TIMEOUT,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(
            target.url,
            user_id=target.user,
            headers=target.headers,
            auth=target.auth,
            patience=patience,
            timeout=timeout,
        )
        self.target = target

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        with self._errors():
            return super().request(method, path, **request)

    def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        with self._errors():
            return super().ask(method, path, **request)

    def generate(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Accept a job. Repeated with the same key while the outcome is unknown."""
        headers = {"Idempotency-Key": key}
        return self.ask("POST", "/jobs", json=dict(body), headers=headers)

    def timeline(self, job_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/jobs/{job_id}/timeline", params=self.as_user())

    def callbacks(self, job_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/jobs/{job_id}/callbacks", params=self.as_user())

    def replay_callback(self, job_id: str) -> dict[str, Any]:
        """Asked twice, the client is called twice; it knows the second by its webhook-id."""
        path = f"/jobs/{job_id}/callbacks/replay"
        return self.ask("POST", path, repeat=False, params=self.as_user())

    def page_of_jobs(self, **filters: str | int | None) -> dict[str, Any]:
        """One page of `{"jobs", "nextCursor"}`; filters are the query parameters of GET /jobs."""
        return self.ask("GET", "/jobs", params=_given(filters))

    def many_jobs(
        self, wanted: int, cursor: str | None = None, **filters: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Up to so many, and where to go on: as many pages as it takes, since one may be short."""
        found: list[dict[str, Any]] = []
        while True:
            limit = min(_PAGE, wanted - len(found))
            page = self.page_of_jobs(**filters, limit=limit, cursor=cursor)
            found += page["jobs"]
            cursor = page["nextCursor"]
            if cursor is None or len(found) >= wanted:
                return found, cursor

    def budget(self) -> dict[str, Any]:
        return self.ask("GET", "/budget", params=self.as_user())

    def usage(self, **query: str | None) -> dict[str, Any]:
        return self.ask("GET", "/usage", params=_given(query))

    def usage_csv(self, **query: str | None) -> str:
        params = _given({**query, "format": "csv"})
        return self.request("GET", "/usage", params=params).text

    def budgets(self, owner: str) -> dict[str, Any]:
        return self.ask("GET", f"/budgets/{quote(owner, safe='')}")

    def set_budget(self, owner: str, period: str, limit: str | None) -> dict[str, Any]:
        body = {"period": period, "limit": limit}
        return self.ask("PUT", f"/budgets/{quote(owner, safe='')}", json=body)

    def grant_credits(self, user: str, amount: str, key: str) -> dict[str, Any]:
        body, headers = {"userId": user, "amount": amount}, {"Idempotency-Key": key}
        return self.ask("POST", "/credits", json=body, headers=headers)

    def ledger(self, job_id: str) -> dict[str, Any]:
        return self.ask("GET", "/ledger", params={"jobId": job_id})

    def create_key(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Sent once: a repetition could not tell the key again."""
        headers = {"Idempotency-Key": key}
        return self.ask("POST", "/keys", repeat=False, json=dict(body), headers=headers)

    def keys(self, **query: str | int | None) -> dict[str, Any]:
        """One page of `{"keys", "nextCursor"}`."""
        return self.ask("GET", "/keys", params=_given(query))

    def revoke_key(self, key_id: str) -> None:
        path = f"/keys/{quote(key_id, safe='')}"
        self.request("DELETE", path)

    def create_upload(self, content_type: str, size: int, file_name: str) -> dict[str, Any] | None:
        """Where to send a file; None where the deployment takes no uploads (API Gateway: 403)."""
        body = {
            **self.as_user(),
            "contentType": content_type,
            "size": size,
            "fileName": file_name,
        }
        try:
            return self.ask("POST", "/uploads", json=body)
        except CommandError as error:
            if error.code in {"Forbidden", "MissingAuthenticationToken"}:
                return None
            raise

    def as_user(self) -> dict[str, str]:
        """How a request names the user; not at all where the key does."""
        return {"userId": self.target.user} if self.target.user else {}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except VslError as error:
            raise self._error(error) from error

    def _error(self, error: VslError) -> CommandError:
        if error.code == "Unreachable":
            local = self.target.document is not None
            hint = (
                "`vsl status` tells whether the stack runs." if local else "Is the address right?"
            )
            return CommandError(error.code, error.message, Exit.UNAVAILABLE, hint)
        if error.status is not None:
            return refusal(error.status, error.problem)
        message = f"{self.target.url} does not speak like VSL: no JSON object came back."
        return CommandError("NotVsl", message, Exit.UNAVAILABLE, "Is the address right?")


def _given(query: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}
