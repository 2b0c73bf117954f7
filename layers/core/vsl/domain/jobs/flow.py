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
    """A user of weight 3 is served three times for every time that a user of weight 1 is."""
    return flow_for(job.user_id, job.priority, job.weight)


def flow_for(user_id: str, priority: Priority, weight: float = 1) -> Flow:
    cost = BATCH_COST if priority is Priority.BATCH else 1.0
    return Flow(f"{priority}:{user_id}", cost / weight)
