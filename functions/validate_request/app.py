"""ValidateRequest: the state machine's input becomes a job with an id, a price and a time limit."""

from datetime import datetime

from vsl.domain.api.prefer import preferred_wait
from vsl.domain.jobs.execution import Execution
from vsl.runtime.address import api_address
from vsl.runtime.handler import Context, answer, step
from vsl.runtime.initialization import at_init
from vsl.runtime.payloads import ValidateRequestInput, ValidateRequestOutput
from vsl.runtime.use_cases.admission import accept_request
from vsl.runtime.wiring import idempotency

at_init(accept_request)


@step
def handler(event: ValidateRequestInput, context: Context) -> ValidateRequestOutput:
    document, started = event["input"], event["execution"]
    execution = Execution(
        started["id"], started["name"], datetime.fromisoformat(started["startTime"])
    )
    keys = idempotency(context, bound_later=bool(event.get("bindsKeys")))
    accepted = accept_request()(document, execution, keys)
    api = document.get("api")
    api = api if isinstance(api, dict) else {}
    body = accepted.answer(api_address(api.get("id"), api.get("host")))
    replayed = {"Idempotency-Replayed": "true"} if accepted.replayed else {}
    return {
        "job": accepted.job.document(),
        "key": accepted.key.document() if accepted.key else None,
        "created": accepted.created,
        "started": accepted.started,
        "answer": answer(202, body, {"Location": body["statusUrl"]} | replayed),
        "wait": preferred_wait(document.get("prefer")),
    }
