"""Replicate over HTTP (https://replicate.com/docs/reference/http).

Creating a prediction costs money and the API knows no idempotency key, so `create` sends once and
tells apart what is proven: nothing was accepted (throttled, never connected), refused for good,
or unknown. Everything else is safe to repeat and is, briefly. Neither the token nor an input is
ever logged or put into an error.
"""

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from vsl import VERSION
from vsl.adapters.aws.parameters import changed
from vsl.adapters.http.tracing import remote_call
from vsl.adapters.replicate.answers import json_of, parse_prediction, retry_after, to_error
from vsl.domain.errors import (
    ConfigurationError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.predictions.prediction import Prediction

CONNECT_TIMEOUT_SECONDS = 5.0
CREATE_TIMEOUT_SECONDS = 30.0
READ_TIMEOUT_SECONDS = 10.0  # of what may be repeated
REPEAT_WITHIN_SECONDS = 10.0
CANCEL_AFTER_RANGE = (5, 24 * 3600)
EVENTS = ("start", "completed")
MAX_PAGES = 50
MAX_ANSWER_BYTES = 32 * 1024**2  # it may hold the output itself; the functions have 512 MB
_PAUSES = (0.2, 0.6)
_LONGEST_PAUSE = 2.0
_ABOUT_THE_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}
_TOKEN = re.compile(r"[\x21-\x7e]+")

# httpx raises these before a byte of the request has left: the connection was never made.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NEVER_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)


class ReplicateProvider:
    """Implements `services.ports.provider.Provider`.

    `token` is asked before every request, and again when it is refused, so a rotated token is
    picked up; `transport`, `sleep` and `monotonic` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str],
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._transport = transport
        self._sleep = sleep
        self._monotonic = monotonic
        self._client: httpx.Client | None = None

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        """See `ports.Provider.create`. Sent at most once; `cancel_after` in seconds."""
        model, _, version = reference.partition(":")
        body: dict[str, Any] = {
            "input": dict(provider_input),
            "webhook": webhook,
            "webhook_events_filter": list(EVENTS),
        }
        if version:
            body["version"] = version
        path = "/predictions" if version else f"/{_collection(model)}/predictions"
        low, high = CANCEL_AFTER_RANGE
        headers = {"Cancel-After": f"{min(max(int(cancel_after), low), high)}s"}
        try:
            response = self._send("POST", path, CREATE_TIMEOUT_SECONDS, json=body, headers=headers)
        except _NOT_SENT as error:
            raise _unavailable(error) from None
        except httpx.RequestError as error:
            message = f"The provider's answer was lost ({type(error).__name__})."
            raise SubmissionUncertain(message) from None
        if response.status_code >= 500 or response.status_code == 408:
            message = f"The provider answered {response.status_code} to a submission."
            raise SubmissionUncertain(message, providerStatus=response.status_code)
        if not response.is_success:
            raise to_error(response)
        try:
            return parse_prediction(json_of(response))
        except ValueError as error:
            raise SubmissionUncertain(f"The provider's answer is unreadable: {error}.") from None

    def get(self, replicate_id: str) -> Prediction | None:
        response = self._repeatable("GET", _prediction_path(replicate_id))
        return None if response.status_code == 404 else _read(response, replicate_id)

    def list_since(
        self, created_after: datetime, created_before: datetime | None = None
    ) -> Iterator[Prediction]:
        """Newest first. Raises ProviderUnavailable rather than end early: absence proves something.

        That is after `MAX_PAGES` pages of 100, or when a page points to another server.
        """
        bounds = {"created_after": created_after, "created_before": created_before}
        query = {
            name: at.astimezone(UTC).isoformat().replace("+00:00", "Z")
            for name, at in bounds.items()
            if at is not None
        }
        url = f"/predictions?{urlencode(query)}"
        for _ in range(MAX_PAGES):
            response = self._repeatable("GET", url)
            if not response.is_success:
                raise to_error(response)
            page = _object(response)
            for entry in _list(page.get("results")):
                yield _readable(entry)
            if not page.get("next"):
                return
            url = self._next_page(str(page["next"]))
        raise ProviderUnavailable(f"The provider lists more than {MAX_PAGES} pages of predictions.")

    def cancel(self, replicate_id: str) -> Prediction | None:
        response = self._repeatable("POST", _prediction_path(replicate_id) + "/cancel")
        if response.status_code == 404:
            return None
        if response.is_success:
            return _read(response, replicate_id)
        error = to_error(response)
        if not isinstance(error, ProviderRejected):
            raise error
        # What the API answers for a finished prediction is not documented: look at it instead.
        prediction = self.get(replicate_id)
        if prediction is not None and not prediction.status.terminal:
            raise error
        return prediction

    def webhook_secret(self) -> str:
        response = self._repeatable("GET", "/webhooks/default/secret")
        if not response.is_success:
            raise to_error(response)
        key = _object(response).get("key")
        if not isinstance(key, str) or not key:
            raise ProviderUnavailable("The provider's answer has no webhook secret.")
        return key

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _send(self, method: str, url: str, timeout: float, **more: Any) -> httpx.Response:
        """One request; 401 proves that nothing came of it, so it is sent again if the token has been
        rotated. Raises httpx.RequestError; ConfigurationError if it could not be made."""
        response = self._send_once(method, url, timeout, **more)
        if response.status_code == 401 and changed(self._token):
            return self._send_once(method, url, timeout, **more)
        return response

    def _send_once(self, method: str, url: str, timeout: float, **more: Any) -> httpx.Response:
        token = self._token().strip()
        if not _TOKEN.fullmatch(token):
            raise ConfigurationError("The SSM parameter replicate-token holds no API token.")
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        address = url if "://" in url else self._base_url + url
        try:
            with (
                remote_call("replicate", method, address) as call,
                self._http().stream(
                    method,
                    address,
                    headers=headers,
                    timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT_SECONDS),
                    **more,
                ) as response,
            ):
                call.status = response.status_code
                return _whole(response)
        except _NEVER_SENDABLE as error:
            message = f"REPLICATE_API_URL is malformed ({type(error).__name__})."
            raise ConfigurationError(message, variable="REPLICATE_API_URL") from None

    def _repeatable(self, method: str, url: str) -> httpx.Response:
        """A request that changes nothing when repeated: up to two quick repetitions.

        Returns any answer but 429 and 5xx; those and a silent provider end in ProviderThrottled
        and ProviderUnavailable. Nothing is repeated later than REPEAT_WITHIN_SECONDS.
        """
        started = self._monotonic()
        for pause in (*_PAUSES, None):
            error: VslError
            try:
                response = self._send(method, url, READ_TIMEOUT_SECONDS)
            except httpx.RequestError as failure:
                error = _unavailable(failure)
            else:
                if response.status_code != 429 and response.status_code < 500:
                    return response
                error = to_error(response)
                wait = retry_after(response) if response.status_code == 429 else None
                if wait is not None and wait > _LONGEST_PAUSE:
                    raise error
                pause = pause and max(pause, wait or 0)  # noqa: PLW2901 - asked to wait longer
            if pause is None or self._monotonic() - started >= REPEAT_WITHIN_SECONDS:
                raise error
            self._sleep(pause * random.uniform(1, 1.5))  # noqa: S311  # nosec B311 # jitter
        raise AssertionError("unreachable")

    def _next_page(self, url: str) -> str:
        base = httpx.URL(self._base_url)
        try:
            following = base.join(url)
        except httpx.InvalidURL:
            following = httpx.URL("")
        same = (following.scheme, following.host, following.port)
        if same != (base.scheme, base.host, base.port):
            raise ProviderUnavailable("The provider's list continues on another server.")
        return str(following)

    def _http(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                follow_redirects=False,
                headers={"User-Agent": f"vsl/{VERSION}", "Accept": "application/json"},
                transport=self._transport,
                trust_env=False,
            )
        return self._client


def _whole(response: httpx.Response) -> httpx.Response:
    """The answer with its body, decoded. Raises httpx.DecodingError when that is too large."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            message = f"an answer of more than {MAX_ANSWER_BYTES} bytes"
            raise httpx.DecodingError(message, request=response.request)
    told = [pair for pair in response.headers.multi_items() if pair[0] not in _ABOUT_THE_TRANSFER]
    return httpx.Response(
        response.status_code, headers=told, content=bytes(body), request=response.request
    )


def _collection(reference: str) -> str:
    """Where predictions of a deployment or of an official model are created."""
    return quote(reference if reference.startswith("deployments/") else f"models/{reference}")


def _prediction_path(replicate_id: str) -> str:
    return f"/predictions/{quote(replicate_id, safe='')}"


def _unavailable(error: httpx.RequestError) -> ProviderUnavailable:
    return ProviderUnavailable(f"The provider could not be reached ({type(error).__name__}).")


def _read(response: httpx.Response, replicate_id: str) -> Prediction:
    if not response.is_success:
        raise to_error(response)
    prediction = _readable(json_of(response))
    if prediction.id != replicate_id:
        raise ProviderUnavailable("The provider's answer is unreadable: of another prediction.")
    return prediction


def _readable(body: object) -> Prediction:
    try:
        return parse_prediction(body)
    except ValueError as error:
        raise ProviderUnavailable(f"The provider's answer is unreadable: {error}.") from None


def _object(response: httpx.Response) -> Mapping[str, Any]:
    body = json_of(response)
    if not isinstance(body, dict):
        raise ProviderUnavailable("The provider's answer is unreadable: no JSON object.")
    return body


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ProviderUnavailable("The provider's answer is unreadable: no list of predictions.")
    return value
