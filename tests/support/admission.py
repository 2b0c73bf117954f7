"""AcceptRequest over stores of a test."""

from collections.abc import Callable
from typing import Any

from tests.support.fakes import MemoryRecentRequests
from vsl.domain.api.caller import Edge
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.jobs.job import Job
from vsl.services.admission.accept_request import AcceptRequest
from vsl.services.admission.make_job import MakeJob
from vsl.services.admission.shared_key import SharedKey
from vsl.services.ports.idempotency import RecentRequests

OPEN = Edge()


def make_accept_request(
    catalogue: Catalogue,
    tracking: Any,
    check: Callable[[Job], None] = lambda _job: None,
    *,
    allow_http: bool = False,
    edge: Edge = OPEN,
    recent: RecentRequests | None = None,
) -> AcceptRequest:
    shared = SharedKey(recent or MemoryRecentRequests())
    return AcceptRequest(tracking, MakeJob(catalogue, allow_http), check, edge, shared)
