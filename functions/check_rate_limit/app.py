"""CheckRateLimit: admit the job within its user's limits, once per job however often asked.

It passes on when its state began, for the job's timeline, and the place that the job will have in the queue
for the provider, for the answer to its client.
"""

from vsl.domain.api.limits import Verdict
from vsl.domain.jobs.job import Job
from vsl.domain.jobs.place import NO_PLACE
from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import CheckRateLimitInput, CheckRateLimitOutput
from vsl.runtime.use_cases.admission import check_rate_limit
from vsl.runtime.wiring import clock

prepare("ssm")
at_init(check_rate_limit)


@step
def handler(event: CheckRateLimitInput, _context: Context) -> CheckRateLimitOutput:
    job = Job.from_document(event["job"])
    admission, limits, outlook = check_rate_limit()(job, created=bool(event.get("created")))
    return {
        "first": admission.verdict is Verdict.ADMITTED,
        "headers": admission.headers(limits),
        "place": outlook.place.document(clock.now()) if outlook else NO_PLACE,
        "validatedAt": event.get("validatedAt"),
    }
