"""The control API for tests and tools: see predictions, offer models, make things go wrong."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

import httpx
from pydantic import BaseModel, ConfigDict

from devstack.replicate.faults import Rule


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WebhookDelivery(_Answer):
    """One attempt; `status_code` None without an answer or a fault rule dropped it."""

    message_id: str
    event: Literal["start", "output", "logs", "completed"]
    prediction_status: str
    attempt: int
    at: str
    status_code: int | None
    error: str | None


class RecordedPrediction(_Answer):
    """What the stand-in knows of one prediction. `cost_usd`: what the real one would have charged."""

    id: str
    model: str
    version: str
    input: dict[str, Any]
    webhook: str | None
    webhook_events_filter: list[str] | None
    status: str
    error: str | None
    output: Any
    created_at: str
    started_at: str | None
    completed_at: str | None
    deadline: str | None
    predict_time: float | None
    data_removed: bool
    cost_usd: float
    billed: bool
    deliveries: list[WebhookDelivery]


class Health(_Answer):
    """`requests` counts what reached the API: create, get, list, cancel, secret, other."""

    status: Literal["ok"]
    predictions: int
    running: int
    requests: dict[str, int]


class Control:
    """Steers the stand-in at `url` (its root, as it prints it). Raises httpx.HTTPError."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/_control", timeout=timeout, trust_env=False
        )

    def predictions(self) -> list[RecordedPrediction]:
        """Every prediction since the last reset, oldest first."""
        answer = self._client.get("/predictions").raise_for_status().json()
        return [RecordedPrediction.model_validate(item) for item in answer]

    def prediction(self, prediction_id: str) -> RecordedPrediction:
        """Raises KeyError when there is none."""
        for prediction in self.predictions():
            if prediction.id == prediction_id:
                return prediction
        raise KeyError(prediction_id)

    def faults(self, *rules: Rule) -> None:
        """Replace all fault rules with these (see `devstack.replicate.faults`); none clears them."""
        body = {"rules": [rule.model_dump(mode="json", exclude_none=True) for rule in rules]}
        self._client.put("/faults", json=body).raise_for_status()

    def rules(self) -> list[dict[str, Any]]:
        """The rules in force, each with how often it `matched` and `struck`."""
        rules: list[dict[str, Any]] = self._client.get("/faults").raise_for_status().json()["rules"]
        return rules

    def offer_model(self, owner: str, name: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Give the stand-in a model: `openapi_schema`, `official`, or the provider's document of it."""
        answer = self._client.put(f"/models/{owner}/{name}", json=dict(document))
        return dict(answer.raise_for_status().json())

    def model(self, owner: str, name: str) -> dict[str, Any]:
        """The provider's document of a model."""
        return dict(self._client.get(f"/models/{owner}/{name}").raise_for_status().json())

    def withdraw_model(self, owner: str, name: str) -> None:
        self._client.delete(f"/models/{owner}/{name}").raise_for_status()

    def deploy(self, owner: str, name: str, model: str, version: str | None = None) -> None:
        """Make a deployment of a model, or its next release."""
        body = {"model": model} | ({} if version is None else {"version": version})
        self._client.put(f"/deployments/{owner}/{name}", json=body).raise_for_status()

    def undeploy(self, owner: str, name: str) -> None:
        self._client.delete(f"/deployments/{owner}/{name}").raise_for_status()

    def reset(self) -> None:
        """No predictions, files, rules or counts; what is running is dropped, models stay."""
        self._client.post("/reset").raise_for_status()

    def health(self) -> Health:
        return Health.model_validate(self._client.get("/health").raise_for_status().json())

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
