"""ReplicateApi: Replicate's API over our jobs, for its stock clients."""

from vsl.runtime.handler import refusing_as
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.replicate_api import refusal, replicate_answer
from vsl.runtime.use_cases.compat import create_prediction, get_prediction

prepare("dynamodb", "s3", "ssm")
at_init(create_prediction, get_prediction)

handler = refusing_as(replicate_answer, refusal)
