"""ReplicateApi: Replicate's API over our jobs, for its stock clients."""

from vsl.runtime.handler import Context, Event, Response, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.replicate_api import replicate_answer
from vsl.runtime.use_cases.compat import create_prediction, get_prediction

prepare("dynamodb", "s3", "ssm")
at_init(create_prediction, get_prediction)


@api
def handler(event: Event, context: Context) -> Response:
    return replicate_answer(event, context)
