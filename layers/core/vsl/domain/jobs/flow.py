"""Whose turn it is: jobs of one flow are served in their order, flows in fair shares."""

from dataclasses import dataclass

from vsl.domain.jobs.job import Job, Priority

# A user's batch has an eighth of the share of what the same user waits for.
BATCH_COST = 8.0


@dataclass(frozen=True, slots=True)
class Flow:
    """`cost` is what one job uses up of its flow's share: at half the cost it has twice the share."""

    name: str
    cost: float = 1.0


def flow_of(job: Job) -> Flow:
    if job.priority is Priority.BATCH:
        return Flow(f"batch:{job.user_id}", BATCH_COST)
    return Flow(f"interactive:{job.user_id}")
