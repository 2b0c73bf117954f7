"""The API workflow holds its answer back for a client that prefers to wait: `Prefer: wait=N`."""

from dataclasses import dataclass

from vsl.domain.api.caller import Caller
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import StatusDocument
from vsl.services.ports.system import Clock
from vsl.services.reading.await_change import AwaitChange
from vsl.services.reading.hold_wait_place import HoldWaitPlace
from vsl.services.reading.read_status import ReadStatus
from vsl.services.reading.show_status import ShowStatus
from vsl.services.reading.waited import Waited


@dataclass(frozen=True, slots=True)
class WaitForJob:
    read: ReadStatus
    await_change: AwaitChange
    hold_place: HoldWaitPlace
    show: ShowStatus
    clock: Clock

    def __call__(self, job_id: str, user_id: str, wait_id: str, seconds: float) -> Waited:
        """Raises JobNotFound, also for another user's job."""
        with self.hold_place(user_id, wait_id, seconds) as granted:
            if not granted:
                return Waited(granted=False)
            document = self._waited(job_id, user_id, seconds)
        ended = JobStatus(document["status"]).terminal
        return Waited(granted=True, body=self.show(document, self.clock.now()), ended=ended)

    def _waited(self, job_id: str, user_id: str, seconds: float) -> StatusDocument:
        monotonic = self.await_change.monotonic
        owner, until = Caller(named=user_id), monotonic() + seconds

        def read() -> StatusDocument:
            return self.read(job_id, owner)

        document = read()
        while not JobStatus(document["status"]).terminal:
            left = until - monotonic()
            if left <= 0:
                break
            document = self.await_change(document, read, left)
        return document
