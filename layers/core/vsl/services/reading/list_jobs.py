"""The list of jobs: PostgreSQL has them all, the tracking items have the status of running ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.job_list import ListedJob, ListRequest
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import StatusDocument, with_asked
from vsl.services.ports.jobs import JobQueries
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.reading.live_documents import LiveDocuments
from vsl.services.reading.show_status import ShowStatus

# A filter for `processing` reads past running jobs with another status; it stops after so many pages
# and answers with what it has and a cursor.
_READS = 4


@dataclass(frozen=True, slots=True)
class ListJobs:
    queries: JobQueries
    tracking: TrackingStore
    live: LiveDocuments
    show: ShowStatus
    clock: Clock

    def __call__(self, request: ListRequest) -> dict[str, Any]:
        """One page. It may be shorter than asked for although `nextCursor` says that more follow."""
        found: list[StatusDocument] = []
        position, more = request.after, True
        for _ in range(_READS):
            rows = self.queries.list_jobs(request.wanted, position, request.limit + 1)
            page = rows[: request.limit]
            more = len(rows) > len(page)
            for number, document in enumerate(self._current(page), 1):
                position = page[number - 1].position
                if request.wanted.status in {None, document["status"]}:
                    found.append(document)
                if len(found) == request.limit:
                    more = more or number < len(page)
                    break
            if not more or len(found) == request.limit:
                break
        now = self.clock.now()
        return {
            "jobs": [self.show(document, now) for document in found],
            "nextCursor": position.cursor(request.wanted) if more and position else None,
        }

    def _current(self, page: Sequence[ListedJob]) -> list[StatusDocument]:
        """A row is `pending` until its job has ended: the tracking item, if there is one, knows better."""
        running = [
            row.position.job_id for row in page if not JobStatus(row.document["status"]).terminal
        ]
        live = self.live(self.tracking.get_many(running))
        return [_current(row.document, live.get(row.position.job_id)) for row in page]


def _current(row: StatusDocument, live: StatusDocument | None) -> StatusDocument:
    """What was asked stands in the row alone."""
    if live is None or "metadata" not in row:
        return live or row
    return with_asked(live, {"prompt": row["prompt"], "metadata": row["metadata"]})
