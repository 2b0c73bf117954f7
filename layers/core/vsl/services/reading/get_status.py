"""GET /status/{jobId}: the status, after a wait if the client asks for one, or that it is unchanged."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.conditional import entity_tag, is_known
from vsl.domain.api.status_request import StatusRequest
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import StatusDocument, current_progress
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.media import Signer
from vsl.services.ports.system import Clock
from vsl.services.reading.await_change import AwaitChange
from vsl.services.reading.hold_wait_place import HoldWaitPlace
from vsl.services.reading.read_status import ReadStatus
from vsl.services.reading.show_status import ShowStatus


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """`body` is None when the client has it already; `waited` is False when there was no place to wait."""

    tag: str
    body: dict[str, Any] | None
    waited: bool


@dataclass(frozen=True, slots=True)
class GetStatus:
    read: ReadStatus
    await_change: AwaitChange
    hold_place: HoldWaitPlace
    repository: JobRepository
    signer: Signer
    clock: Clock

    def __call__(
        self, request: StatusRequest, wait_id: str, seconds_left: Callable[[], float]
    ) -> StatusAnswer:
        """A wait ends before `seconds_left` are over. Raises JobNotFound, also for another user's job."""
        document, waited = self._current(request, wait_id, seconds_left)
        now = self.clock.now()
        more = {}
        if request.with_parameters:
            more["parameters"] = self.repository.parameters(request.job_id)
        period = self.signer.period(now) if document["assets"] else None
        tag = entity_tag(document, current_progress(document, now), period, more)
        if is_known(tag, request.known):
            return StatusAnswer(tag, None, waited)
        return StatusAnswer(tag, ShowStatus(self.signer)(document, now) | more, waited)

    def _current(
        self, request: StatusRequest, wait_id: str, seconds_left: Callable[[], float]
    ) -> tuple[StatusDocument, bool]:
        def read() -> StatusDocument:
            return self.read(request.job_id, request.caller)

        document = read()
        if not request.wait or JobStatus(document["status"]).terminal:
            return document, True
        seconds = min(request.wait, seconds_left())
        with self.hold_place(document["userId"], wait_id, seconds) as granted:
            if granted:
                document = self.await_change(document, read, seconds)
            return document, granted
