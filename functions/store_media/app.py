"""StoreMedia: stream the prediction's output files to the bucket, with thumbnails and measurements."""

from vsl.domain.jobs.job import Job
from vsl.domain.predictions.prediction import Outcome
from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import StoreMediaInput, StoreMediaOutput
from vsl.runtime.use_cases.completion import store_media
from vsl.runtime.wiring import large_outputs

prepare("dynamodb")
at_init(store_media)


@step
def handler(event: StoreMediaInput, _context: Context) -> StoreMediaOutput:
    outcome = large_outputs().restore(Outcome.from_document(event["outcome"]))
    assets = store_media()(Job.from_document(event["job"]), outcome)
    return {"assets": [asset.document() for asset in assets]}
