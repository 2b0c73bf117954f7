"""Images for a client of OpenAI's API: one request is one job, and the answer is its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vsl.domain.api.repetition import Repetition
from vsl.domain.compat.openai_answers import as_base64, fits, too_large
from vsl.domain.compat.openai_errors import (
    OpenAIError,
    job_error,
    still_running,
)
from vsl.domain.compat.openai_parameters import model_parameters
from vsl.domain.compat.openai_request import File, ImageRequest, ResponseFormat
from vsl.domain.compat.problems import problem_error
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.job import JobStatus
from vsl.services.admission.submit_job import SubmitJob
from vsl.services.compat.image_files import KeepImageFiles
from vsl.services.compat.named_models import NamedModels
from vsl.services.ports.system import Clock
from vsl.services.reading.waited import Waited

# A client without a place to wait comes again after the model's usual time, at most after this.
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks. `key` is an Idempotency-Key, empty for none; `repetition` is what client and key say of
    repetitions; `api` is the `id` and `host` by which API Gateway was called."""

    user_id: str
    request_id: str
    key: str = ""
    repetition: Repetition = field(default_factory=Repetition)
    api: Mapping[str, str] | None = None

    @property
    def joins(self) -> bool:
        """Whether its repetition gets the same job."""
        return bool(self.key) or self.repetition.told


@dataclass(frozen=True, slots=True)
class GenerateImages:
    """`wait` is WaitForJob; `read_object` gives the bytes of a stored file, None when it is gone."""

    models: NamedModels
    keep_files: KeepImageFiles
    submit: SubmitJob
    wait: Callable[[str, str, str, float], Waited]
    read_object: Callable[[str], bytes | None]
    clock: Clock

    def __call__(
        self, request: ImageRequest, sender: Sender, seconds: Callable[[], float]
    ) -> dict[str, Any] | OpenAIError:
        """The images, or why there are none yet. `seconds` tells how long the client can still be kept
        waiting. Raises what a request is refused with."""
        model = self.models.find(request.model)
        # Before a file is kept: what the model does not take is refused.
        model_parameters(model, request, *_placeholders(request))
        images, mask = self._files(request, sender.user_id)
        submitted = self.submit(
            {
                "userId": sender.user_id,
                "modelId": model.model_id,
                "parameters": model_parameters(model, request, images, mask),
                **({"metadata": dict(request.metadata)} if request.metadata else {}),
            },
            sender.key,
            sender.api or {},
            sender.repetition,
        )
        if not submitted.accepted:
            raise problem_error(submitted.body)
        job_id = str(submitted.body["jobId"])
        waited = self.wait(job_id, sender.user_id, sender.request_id, max(0.0, seconds()))
        if waited.body is None or not waited.ended:
            usual = float(submitted.body.get("estimatedTime") or 0)
            pause = 1.0 if waited.granted else min(max(2.0, usual), _LONGEST_PAUSE)
            return still_running(job_id, joins=sender.joins, retry_after=pause)
        if waited.body["status"] != JobStatus.SUCCEEDED.value:
            return job_error(waited.body["errorCode"], waited.body["error"])
        return {
            "created": int(self.clock.now().timestamp()),
            "data": self._data(job_id, waited.body["outputs"], request.response_format),
        }

    def _files(self, request: ImageRequest, user_id: str) -> tuple[list[str], str | None]:
        files: dict[str, File] = {f"image {n}": file for n, file in enumerate(request.images)}
        if request.mask is not None:
            files["mask"] = request.mask
        handles = self.keep_files(user_id, files)
        mask = handles.pop("mask", None)
        return list(handles.values()), mask

    def _data(
        self, job_id: str, outputs: list[dict[str, Any]], wanted: ResponseFormat | None
    ) -> list[dict[str, str]]:
        """What was asked for; both, if nothing was, but for pictures that fit no answer."""
        sizes = [output["fileSize"] for output in outputs]
        if wanted is ResponseFormat.B64_JSON and not fits(sizes):
            raise too_large(sizes, job_id)
        addresses = [{"url": output["originalUrl"]} for output in outputs]
        if wanted is ResponseFormat.URL or not fits(sizes):
            return addresses
        pictures = [{"b64_json": as_base64(self._content(output["s3Path"]))} for output in outputs]
        if wanted is ResponseFormat.B64_JSON:
            return pictures
        return [picture | address for picture, address in zip(pictures, addresses, strict=True)]

    def _content(self, key: str) -> bytes:
        content = self.read_object(key)
        if content is None:
            raise StoreUnavailable("A stored image could not be read.", service="S3")
        return content


def _placeholders(request: ImageRequest) -> tuple[list[str], str | None]:
    return [file.name for file in request.images], request.mask.name if request.mask else None
