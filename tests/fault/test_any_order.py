"""Every sequence of what meets in a job, of any length: one end, and nobody waits for it.

The orders are followed as a graph. Two sequences after which nothing differs but the time have the
same future, so only the first of them is continued; when no event leads to a new state, every
sequence there is has been tried. Each event is over before the next; those that come twice at the
same moment are in `test_all_orders`.
"""

from collections import deque

import pytest

from tests.fault.harness.campaign import Campaign
from tests.fault.harness.sequence import EVENTS, NEAR, SLOT, Reached, SequenceWorld

pytestmark = [
    pytest.mark.no_cover,  # thousands of whole jobs: measuring them doubles their time
    pytest.mark.thorough,
]

PROMPTLY = 5.0


def schedule_check(campaign: Campaign, sequence: tuple[str, ...]) -> Reached:
    world = SequenceWorld(sequence)
    campaign.judge(world.run())
    if world.ended_at is None or world.ended_at > world.last + PROMPTLY:
        campaign.failures.append(f"{world.scenario.name}: ended at {world.ended_at} s")
    assert world.reached is not None
    return world.reached


@pytest.mark.timeout(3600)
def test_every_sequence_of_events_ends_the_job_once(campaign: Campaign) -> None:
    root = schedule_check(campaign, ())
    known, longest = {root.state}, 0
    ahead: deque[tuple[tuple[str, ...], Reached]] = deque([((), root)])
    led_on: set[str] = set()
    while ahead:
        sequence, reached = ahead.popleft()
        longest = max(longest, len(sequence))
        for event in reached.open:
            following = (*sequence, event)
            found = schedule_check(campaign, following)
            if found.state not in known:
                known.add(found.state)
                led_on.add(event)
                ahead.append((following, found))
    print(f"\n{len(known)} states, {campaign.cases} runs, longest {longest}")  # noqa: T201 - figures
    assert not campaign.failures, "\n".join(campaign.failures[:20])
    assert led_on == set(EVENTS)
    assert longest * SLOT < NEAR, "the states were not told apart by what is due by then"
