"""StoreMedia: stream the prediction's output files to the bucket, with thumbnails and measurements."""

from vsl.domain.job import Job
from vsl.domain.prediction import Outcome
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.wiring import clock, live_jobs
from vsl.runtime.wiring_media import media
from vsl.services.store_media import store_media


@step
def handler(event: Event, _context: Context) -> Event:
    assets = store_media(
        Job.from_document(event["job"]),
        Outcome.from_document(event["outcome"]),
        live=live_jobs(),
        media=media(),
        clock=clock,
    )
    return {"assets": [asset.document() for asset in assets]}
