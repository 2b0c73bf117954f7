"""CheckRateLimit: admit the job within its user's limits, once per job however often asked.

It passes on when its state began, for the job's timeline.
"""

from vsl.domain.admission import Limits, Verdict
from vsl.domain.job import Job
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import metrics
from vsl.runtime.settings import settings
from vsl.runtime.wiring import accounting, clock, lazily, rate_limits
from vsl.services.check_rate_limit import check_rate_limit


@step
def handler(event: Event, _context: Context) -> Event:
    admission, limits = check_rate_limit(
        Job.from_document(event["job"]),
        limits=rate_limits(),
        accounting=lazily(accounting),
        clock=clock,
        default=Limits(settings().rate_limit_per_hour, settings().concurrent_jobs),
        metrics=metrics,
    )
    return {
        "first": admission.verdict is Verdict.ADMITTED,
        "headers": admission.headers(limits),
        "validatedAt": event.get("validatedAt"),
    }
