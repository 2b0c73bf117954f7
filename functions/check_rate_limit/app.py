"""CheckRateLimit: admit the job within its user's hourly limit, once per job however often asked."""

from vsl.domain.job import Job
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import metrics
from vsl.runtime.settings import settings
from vsl.runtime.wiring import accounting, clock, lazily, rate_limits
from vsl.services.check_rate_limit import check_rate_limit


@step
def handler(event: Event, _context: Context) -> Event:
    check_rate_limit(
        Job.from_document(event["job"]),
        limits=rate_limits(),
        accounting=lazily(accounting),
        clock=clock,
        default_limit=settings().rate_limit_per_hour,
        metrics=metrics,
    )
    return {"admitted": True}
