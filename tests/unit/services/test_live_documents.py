"""A job that waits for a slot at the provider says where it stands, and no document that is kept does."""

from datetime import timedelta

from tests.support.fakes import START, PlainSigner, StillQueue
from tests.support.jobs import as_kept
from tests.unit.services.conftest import World
from vsl.domain.api.caller import Caller
from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.jobs.place import Place
from vsl.domain.jobs.status import finished_document
from vsl.services.reading.live_documents import LiveDocuments
from vsl.services.reading.read_status import ReadStatus
from vsl.services.reading.show_status import ShowStatus

LATER = START + timedelta(hours=1)


def place(world: World, queue: StillQueue) -> tuple[object, object]:
    """As the API shows it."""
    live = LiveDocuments(queue, world.clock)
    read = ReadStatus(world.cache, world.tracking, world.repository, live)
    shown = ShowStatus(PlainSigner())(read(world.job.job_id, Caller()))
    return shown["queuePosition"], shown["estimatedStart"]


def test_the_place_moves_with_the_queue(world: World) -> None:
    queue = StillQueue()
    queue.places[world.job.job_id] = Place(7, starts_in=61.2)
    assert place(world, queue) == (None, None), "it does not wait"
    world.cache.documents.clear()
    world.tracking.join_queue(world.job.job_id, "token", START, LATER)
    assert place(world, queue) == (7, "2026-03-01T12:01:02.000Z")
    queue.places[world.job.job_id] = Place(1, starts_in=0)
    assert place(world, queue) == (7, "2026-03-01T12:01:02.000Z"), (
        "for as long as the cache keeps it"
    )
    world.cache.documents.clear()
    assert place(world, queue) == (1, "2026-03-01T12:00:00.000Z")
    queue.places.clear()
    world.cache.documents.clear()
    assert place(world, queue) == (None, None), "Redis has lost it, or is away"


def test_an_ended_job_has_no_place(world: World) -> None:
    queue = StillQueue()
    world.tracking.join_queue(world.job.job_id, "token", START, LATER)
    queue.places[world.job.job_id] = Place(7)
    ended = FinishedJob(world.job, JobStatus.CANCELED, START)
    world.tracking.finish(ended, finished_document(ended))
    assert place(world, queue) == (None, None)
    assert world.cache.documents[world.job.job_id] == as_kept(finished_document(ended))
