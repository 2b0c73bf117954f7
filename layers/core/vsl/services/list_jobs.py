"""The list of jobs: PostgreSQL has them all, the live items know where the running ones stand."""

from collections.abc import Sequence
from typing import Any

from vsl.domain.job import JobStatus
from vsl.domain.job_list import ListedJob, ListRequest
from vsl.domain.status import StatusDocument
from vsl.services.get_status import live_document, public_status
from vsl.services.ports import Clock, History, LiveJobs, Signer

# A filter for `processing` reads over running jobs that are elsewhere; it stops here and answers
# with what it has and a cursor.
_READS = 4


def list_jobs(
    request: ListRequest, *, history: History, live: LiveJobs, signer: Signer, clock: Clock
) -> dict[str, Any]:
    """One page. It may be shorter than asked for although `nextCursor` says that more follow."""
    found: list[StatusDocument] = []
    position, more = request.after, True
    for _ in range(_READS):
        rows = history.list_jobs(request.wanted, position, request.limit + 1)
        page = rows[: request.limit]
        more = len(rows) > len(page)
        for number, document in enumerate(_overlaid(page, live), 1):
            position = page[number - 1].position
            if request.wanted.status in {None, document["status"]}:
                found.append(document)
            if len(found) == request.limit:
                more = more or number < len(page)
                break
        if not more or len(found) == request.limit:
            break
    now = clock.now()
    return {
        "jobs": [public_status(document, signer, now) for document in found],
        "nextCursor": position.cursor() if more and position else None,
    }


def _overlaid(page: Sequence[ListedJob], live: LiveJobs) -> list[StatusDocument]:
    """A row is `pending` until its job has ended: the live item, if there is one, knows better."""
    running = [
        row.position.job_id for row in page if not JobStatus(row.document["status"]).terminal
    ]
    items = live.get_many(running) if running else {}
    documents = []
    for row in page:
        item = items.get(row.position.job_id)
        documents.append(row.document if item is None else live_document(item))
    return documents
