"""The use cases of services/reading."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import wiring

if TYPE_CHECKING:
    from vsl.services.reading.get_status import GetStatus
    from vsl.services.reading.get_timeline import GetTimeline
    from vsl.services.reading.list_jobs import ListJobs
    from vsl.services.reading.live_documents import LiveDocuments
    from vsl.services.reading.read_status import ReadStatus
    from vsl.services.reading.show_status import ShowStatus
    from vsl.services.reading.wait_for_job import WaitForJob


@cache
def get_status() -> "GetStatus":
    from vsl.services.reading.await_change import AwaitChange
    from vsl.services.reading.get_status import GetStatus
    from vsl.services.reading.hold_wait_place import HoldWaitPlace

    return GetStatus(
        read=read_status(),
        await_change=AwaitChange(),
        hold_place=HoldWaitPlace(wiring.lazily(wiring.wait_places), wiring.clock),
        repository=wiring.lazily(wiring.job_repository),
        signer=wiring.signer(),
        clock=wiring.clock,
    )


@cache
def wait_for_job() -> "WaitForJob":
    from vsl.services.reading.await_change import AwaitChange
    from vsl.services.reading.hold_wait_place import HoldWaitPlace
    from vsl.services.reading.wait_for_job import WaitForJob

    return WaitForJob(
        read=read_status(),
        await_change=AwaitChange(),
        hold_place=HoldWaitPlace(wiring.wait_places(), wiring.clock),
        show=show_status(),
        clock=wiring.clock,
    )


@cache
def read_status() -> "ReadStatus":
    from vsl.services.reading.read_status import ReadStatus

    return ReadStatus(
        cache=wiring.status_cache(),
        tracking=wiring.lazily(wiring.tracking_store),
        repository=wiring.lazily(wiring.job_repository),
        live=_live_documents(),
    )


@cache
def show_status() -> "ShowStatus":
    from vsl.services.reading.show_status import ShowStatus

    return ShowStatus(wiring.signer())


@cache
def _live_documents() -> "LiveDocuments":
    from vsl.services.reading.live_documents import LiveDocuments

    return LiveDocuments(wiring.lazily(wiring.slots), wiring.clock)


@cache
def get_timeline() -> "GetTimeline":
    from vsl.services.reading.get_timeline import GetTimeline

    return GetTimeline(
        tracking=wiring.tracking_store(),
        queries=wiring.lazily(wiring.job_queries),
        clock=wiring.clock,
    )


@cache
def list_jobs() -> "ListJobs":
    from vsl.services.reading.list_jobs import ListJobs

    return ListJobs(
        queries=wiring.job_queries(),
        tracking=wiring.lazily(wiring.tracking_store),
        live=_live_documents(),
        show=show_status(),
        clock=wiring.clock,
    )
