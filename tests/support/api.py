"""A client of a running stack, as a product team's back end would be one."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support import web
from tests.support.waiting import until

# On two busy cores a cold function may take seconds; a job that is slower than this has hung.


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API at `url`."""

    url: str

    def generate(self, model_id: str, parameters: dict[str, Any], **options: Any) -> httpx.Response:
        """POST /generate-media; `user_id`, `media_type`, `key` (Idempotency-Key), `prefer`, `callback_url`,
        `callback_events` and `metadata` are optional."""
        body = {
            "userId": options.get("user_id", "e2e"),
            "modelId": model_id,
            "parameters": parameters,
        }
        more = {
            "mediaType": "media_type",
            "callbackUrl": "callback_url",
            "callbackEvents": "callback_events",
            "metadata": "metadata",
        }
        body |= {name: options[option] for name, option in more.items() if option in options}
        names = {"key": "Idempotency-Key", "prefer": "Prefer"}
        headers = {name: options[option] for option, name in names.items() if option in options}
        return web.post(f"{self.url}/generate-media", json=body, headers=headers)

    def decided(self, model_id: str, parameters: dict[str, Any], **options: Any) -> httpx.Response:
        """As `generate`. A busy machine says 503: the same request is sent again, as a client would."""
        options.setdefault("key", uuid.uuid4().hex)
        return until(
            lambda: self.generate(model_id, parameters, **options),
            lambda answer: answer.status_code != 503,
        )

    def status(self, job_id: str) -> dict[str, Any]:
        answer = web.get(f"{self.url}/status/{job_id}")
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        return status

    def operations(self) -> dict[str, Any]:
        """What the page for operators shows of the last day."""
        answer = web.get(f"{self.url}/operations")
        assert answer.status_code == 200, answer.text
        figures: dict[str, Any] = answer.json()
        return figures

    def jobs_of(self, prompt: str) -> list[str]:
        """Of whatever user."""
        query = {"q": prompt, "limit": "100"}
        answer = web.get(f"{self.url}/jobs", params=query)
        assert answer.status_code == 200, answer.text
        return [job["jobId"] for job in answer.json()["jobs"]]

    def submit(self, model_id: str, parameters: dict[str, Any], **options: Any) -> str:
        answer = self.decided(model_id, parameters, **options)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["jobId"])

    def finish(self, job_id: str) -> dict[str, Any]:
        """The job's status once it has ended."""
        return until(
            lambda: self.status(job_id),
            lambda status: status["status"] in {"succeeded", "failed", "canceled"},
            pause=0.2,
        )

    def run(self, model_id: str, parameters: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self.finish(self.submit(model_id, parameters, **options))


def unique(text: str) -> str:
    """A prompt no other test uses, so that fault rules strike only their own job."""
    return f"{text} {uuid.uuid4().hex[:12]}"
