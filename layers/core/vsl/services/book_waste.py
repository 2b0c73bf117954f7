"""What a prediction without a use has cost, once it has ended and whether or not it says so itself.

Its last webhook books it, as a rule. The poller sees to those whose webhooks are lost: it keeps an
ended job in its sight as long as there is such waste, and has this done where PostgreSQL is reached.
"""

from dataclasses import replace
from datetime import timedelta

from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome
from vsl.services.cost import cost_of
from vsl.services.finish import Books
from vsl.services.ports import Provider
from vsl.services.resolve_timeout import stop

# A prediction that still runs by then, or that the provider forgot, is booked without its cost.
PATIENCE = timedelta(days=1)


def book_waste(item: LiveJob, books: Books, provider: Provider) -> None:
    """Stop what still runs and book what has ended; the rest is for the next time."""
    job_id = item.job.job_id
    for waste in item.unbooked:
        prediction = stop(waste.replicate_id, provider)
        if prediction is not None and prediction.status.terminal:
            outcome = Outcome.of(prediction, "poller")
            cost = cost_of(item.job, outcome, books.catalogue, books.accounting)
        elif books.clock.now() - waste.found_at > PATIENCE:
            cost = None
        else:
            continue
        booked = replace(waste, cost=cost)
        books.accounting.record_waste(job_id, booked)
        books.live.end_waste(job_id, booked)
