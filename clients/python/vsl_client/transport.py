"""Requests to the API, repeated where that is safe."""

import random
import time
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from vsl_client.errors import VslError, refusal
from vsl_client.network import trusts_environment

# API Gateway gives up after 29 seconds; a client that hangs up earlier misses its answer.
TIMEOUT = httpx.Timeout(35.0, connect=10.0)
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
# Errors with a status of 5xx that only a person can end.
_FINAL = {"ModelFrozen", "ConfigurationError"}


class Transport:
    """Repeats a request after a network fault, 409 RequestInProgress, 429 and 5xx, for `patience` seconds."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        auth: httpx.Auth | None,
        patience: float,
        timeout: httpx.Timeout | float,
    ) -> None:
        self._url = url.rstrip("/")
        self._patience = patience
        self._client = httpx.Client(
            headers=dict(headers),
            auth=auth,
            timeout=timeout,
            trust_env=trusts_environment(self._url),
        )

    def close(self) -> None:
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        repeat: bool = True,
        repeated_end: Collection[int] = (),
        **request: Any,
    ) -> httpx.Response:
        """The answer: a success or, to a repetition, one of `repeated_end`. Raises VslError.

        `repeat` is False for what must not happen twice; it is sent once.
        """
        ends = time.monotonic() + (self._patience if repeat else 0)
        pause = _FIRST_PAUSE
        done: Collection[int] = ()
        while True:
            answer = self._attempt(method, path, request)
            if isinstance(answer, httpx.Response):
                if answer.is_success or answer.status_code in done:
                    return answer
                error = refusal(answer.status_code, document(answer), seconds(answer))
            else:
                error = answer
            # Not all clients at once.
            wait = max(pause * random.uniform(0.5, 1.0), error.retry_after or 0.0)  # noqa: S311
            if not _temporary(error) or time.monotonic() + wait > ends:
                raise error
            time.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)
            done = repeated_end

    def _attempt(
        self, method: str, path: str, request: Mapping[str, Any]
    ) -> httpx.Response | VslError:
        try:
            return self._client.request(method, self._url + path, **request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            told = str(error) or type(error).__name__
            return VslError("Unreachable", f"{self._url} does not answer: {told}")


def _temporary(error: VslError) -> bool:
    if error.status is None or error.status == 429:
        return True
    if error.status == 409:
        return error.code == "RequestInProgress"
    return error.status >= 500 and error.code not in _FINAL


def document(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty if it has none."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def seconds(answer: httpx.Response) -> float | None:
    """`Retry-After`."""
    try:
        return float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
