"""AwaitPrediction: leave the task token where the webhook and the poller will find it."""

from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import AwaitPredictionInput, AwaitPredictionOutput
from vsl.runtime.use_cases.waiting import await_prediction

prepare("dynamodb", "stepfunctions")
at_init(await_prediction)


@step
def handler(event: AwaitPredictionInput, _context: Context) -> AwaitPredictionOutput:
    attempt, token_completed = await_prediction()(event["jobId"], event["taskToken"])
    return {"attempt": attempt, "tokenCompleted": token_completed}
