"""Predictions for their user: one, a page of them, and one that is to be stopped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from vsl.domain.api.caller import Caller
from vsl.domain.api.job_list import LARGEST_LIMIT, ListRequest
from vsl.domain.compat.replicate_problems import not_found
from vsl.services.api.cancel_job import CancelJob
from vsl.services.compat.show_predictions import ShowPredictions
from vsl.services.reading.list_jobs import ListJobs
from vsl.services.reading.wait_for_job import WaitForJob

# How long the answer to a cancel waits for the job's end, which is mostly a moment away.
_CANCEL_SECONDS = 5.0
# The provider's names of what narrows a list, and ours.
_FILTERS = {"created_after": "createdAfter", "created_before": "createdBefore", "cursor": "cursor"}


@dataclass(frozen=True, slots=True)
class GetPrediction:
    status: Callable[[str, Caller], Mapping[str, Any]]
    show: ShowPredictions

    def __call__(self, job_id: str, user_id: str, api: str) -> dict[str, Any]:
        """Raises JobNotFound, also for another user's job."""
        shown = self.show([self.status(job_id, Caller(named=user_id))], api)
        if not shown:
            raise not_found()
        return shown[0]


@dataclass(frozen=True, slots=True)
class ListPredictions:
    list_jobs: ListJobs
    show: ShowPredictions

    def __call__(self, query: Mapping[str, str], user_id: str, api: str) -> dict[str, Any]:
        """A page of at most 100, the newest first. `next` is an address, `previous` always null. Raises
        InvalidRequest."""
        if query.get("source") == "web":  # made on the provider's site
            return {"previous": None, "next": None, "results": []}
        asked = {ours: query[theirs] for theirs, ours in _FILTERS.items() if theirs in query}
        found = self.list_jobs(ListRequest.parse({**asked, "limit": str(LARGEST_LIMIT)}, user_id))
        following = None
        if found["nextCursor"] is not None:
            kept = {name: value for name, value in query.items() if name in _FILTERS}
            following = f"{api}/predictions?{urlencode(kept | {'cursor': found['nextCursor']})}"
        return {"previous": None, "next": following, "results": self.show(found["jobs"], api)}


@dataclass(frozen=True, slots=True)
class CancelPrediction:
    cancel: CancelJob
    wait_for_job: WaitForJob
    get: GetPrediction

    def __call__(self, job_id: str, user_id: str, api: str, wait_id: str) -> dict[str, Any]:
        """The prediction, which has ended if that took no longer than a moment. Raises JobNotFound."""
        item = self.cancel(job_id, Caller(named=user_id))
        if not item.status.terminal:
            self.wait_for_job(job_id, user_id, wait_id, _CANCEL_SECONDS)
        return self.get(job_id, user_id, api)
