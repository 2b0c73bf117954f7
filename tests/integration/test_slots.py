"""Slots and the queue in a real Valkey: the rate, the order, and what a restart costs."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
import redis
from hypothesis import strategies as st

from tests.support.jobs import make_job
from tests.support.memory_pacing import SCRIPTS, MemoryPacing
from vsl.adapters.redis import slots as adapter
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.slots import RedisSlots
from vsl.domain.jobs.flow import BATCH_COST, Flow, flow_of
from vsl.domain.jobs.place import Place
from vsl.services.ports.pacing import Dispatch, Outlook

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 1, tzinfo=UTC)
ANA, BEN = Flow("interactive:ana"), Flow("interactive:ben")


@pytest.fixture
def client(redis_url: str) -> Iterator[RedisClient]:
    made = RedisClient(lambda: redis_url)
    yield made
    made.close()


@pytest.fixture
def slots(client: RedisClient) -> RedisSlots:
    """Sixty a minute, six at once."""
    return RedisSlots(str, 60, client)


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def served(slots: RedisSlots, at: datetime) -> list[str]:
    return list(slots.next(at, at + timedelta(seconds=5)).job_ids)


def drained(slots: RedisSlots) -> list[str]:
    """All that wait, in the order in which they are served."""
    order: list[str] = []
    for second in range(1, 100):
        turn = slots.next(later(second), later(second + 5))
        order += turn.job_ids
        if turn.next_in is None:
            return order
    raise AssertionError(f"it never ends: {order}")


def fill(slots: RedisSlots, flow: Flow, *names: str) -> None:
    for name in names:
        assert not slots.join(name, flow, START).granted


def burst(slots: RedisSlots) -> None:
    """Use up what may come at once."""
    for number in range(6):
        assert slots.reserve(f"first {number}", ANA, START).granted


def test_what_comes_at_once_has_slots_and_then_one_comes_free_a_second(slots: RedisSlots) -> None:
    burst(slots)
    turn = slots.reserve("seventh", ANA, START)
    assert (turn.granted, turn.position, turn.starts_in) == (False, 1, 1.0)
    assert slots.next(later(0.5), later(5)) == Dispatch([], 0.5, waiting=1, incomplete=True)
    assert served(slots, later(1)) == ["seventh"]


def test_the_same_job_gets_the_same_answer_again(slots: RedisSlots) -> None:
    burst(slots)
    assert slots.reserve("first 0", ANA, later(0.1)).granted
    first = slots.reserve("waits", ANA, later(0.1))
    assert slots.reserve("waits", ANA, later(0.1)) == first
    assert slots.waiting(later(0.1)) == 1


def test_a_job_that_waits_is_never_overtaken_by_one_that_comes(slots: RedisSlots) -> None:
    burst(slots)
    fill(slots, ANA, "1 waits")
    assert not slots.reserve("2 comes", BEN, later(1.5)).granted
    assert served(slots, later(2.0)) == ["1 waits", "2 comes"]


def test_a_slot_that_was_granted_out_of_the_queue_is_kept_for_the_job(slots: RedisSlots) -> None:
    burst(slots)
    fill(slots, ANA, "waits")
    served(slots, later(1))
    assert slots.join("waits", ANA, later(2)).granted
    assert not slots.join("waits", ANA, later(1 + adapter.KEPT_MS / 1000)).unwatched


def test_users_take_turns_whatever_they_ask_for(slots: RedisSlots) -> None:
    burst(slots)
    fill(slots, ANA, *(f"a{number}" for number in range(8)))
    fill(slots, BEN, "b0", "b1")
    order = drained(slots)
    assert order.index("b0") <= 2
    assert order.index("b1") <= 4
    assert [name for name in order if name[0] == "a"] == [f"a{number}" for number in range(8)]


def test_a_batch_has_its_share_and_no_more(slots: RedisSlots) -> None:
    burst(slots)
    fill(slots, Flow("batch:ana", BATCH_COST), *(f"b{number}" for number in range(5)))
    fill(slots, ANA, *(f"i{number:02}" for number in range(30)))
    order = drained(slots)
    shares = [name for name in order[:18] if name[0] == "b"]
    assert 2 <= len(shares) <= 3, "one in nine, and never none"


def test_a_user_of_more_weight_has_more_of_the_slots(slots: RedisSlots) -> None:
    burst(slots)
    carl = flow_of(make_job("c", user_id="carl", weight=3))
    fill(slots, BEN, *(f"b{number:02}" for number in range(20)))
    fill(slots, carl, *(f"c{number:02}" for number in range(60)))
    order = drained(slots)
    assert [name[0] for name in order[:40]].count("c") == pytest.approx(30, abs=1)
    assert len(order) == 80


def test_a_throttled_job_gets_its_place_again_and_none_is_served_meanwhile(
    slots: RedisSlots,
) -> None:
    burst(slots)
    fill(slots, ANA, "a0", "a1", "a2")
    assert served(slots, later(1)) == ["a0"]
    slots.throttled("a0", later(1.5), 9.0)
    assert slots.join("a0", ANA, later(1.6)).position == 1
    assert slots.next(later(5), later(9)).next_in == pytest.approx(5.5)
    assert served(slots, later(10.5)) == ["a0"]


def test_after_a_throttling_the_rate_begins_low_and_comes_back(slots: RedisSlots) -> None:
    burst(slots)
    fill(slots, ANA, *(f"a{number:02}" for number in range(40)))
    slots.throttled("first 0", START, 10.0)
    counts = [len(served(slots, later(10 + second))) for second in range(8)]
    assert counts[0] == 1, "a probe"
    assert sum(counts[:3]) <= 2
    assert counts[-1] == 1, "one a second, as before"


def test_whoever_joins_an_unwatched_queue_calls_a_dispatcher_once(slots: RedisSlots) -> None:
    burst(slots)
    assert slots.reserve("a", ANA, START).unwatched
    assert slots.join("a", ANA, START).unwatched
    assert not slots.join("b", ANA, START).unwatched
    dead = later(adapter.APPEARS_MS / 1000 + 1)
    assert slots.join("c", ANA, dead).unwatched
    assert served(slots, later(30)) == ["a", "b", "c"]
    served(slots, later(30))  # empty: it goes
    for number in range(20):
        turn = slots.join(f"d{number}", ANA, later(30))
        if not turn.granted:
            assert turn.unwatched
            return
    pytest.fail("none had to wait")


def test_an_emptied_server_loses_the_order_and_no_job(slots: RedisSlots, redis_url: str) -> None:
    burst(slots)
    fill(slots, ANA, "a0", "a1")
    with redis.Redis.from_url(redis_url) as server:
        server.flushall()
    assert slots.look(["a0"], START) == {}
    assert slots.join("a0", ANA, START).granted


def test_a_server_that_was_emptied_says_so_until_the_queue_is_told_to_be_complete(
    slots: RedisSlots, redis_url: str
) -> None:
    burst(slots)
    fill(slots, ANA, "a0")
    assert slots.next(later(0.1), later(5)).incomplete
    slots.mark_complete(later(0.1))
    assert not slots.next(later(0.2), later(5)).incomplete
    with redis.Redis.from_url(redis_url) as server:
        server.flushall()
    slots.join("b0", BEN, later(0.3))
    assert slots.next(later(0.4), later(5)).incomplete


def test_whoever_looks_sees_the_place_of_each_and_takes_none(slots: RedisSlots) -> None:
    burst(slots)
    fill(slots, ANA, "a0", "a1", "a2")
    found = slots.look(["a2", "nobody", "a0"], later(0.25))
    assert {name: (turn.position, turn.starts_in) for name, turn in found.items()} == {
        "a2": (3, 2.75),
        "a0": (1, 0.75),
    }
    outlook = slots.outlook(ANA, later(0.25))
    assert outlook is not None
    assert (outlook.waiting, outlook.place.position, outlook.place.starts_in) == (3, 4, 3.75)
    served(slots, later(1))
    assert slots.look(["a0"], later(1)) == {}
    assert slots.look(["a2"], later(1))["a2"].position == 2


def test_one_more_job_has_the_place_that_its_flow_gives_it(slots: RedisSlots) -> None:
    none_waits = slots.outlook(BEN, START)
    assert none_waits == Outlook(0, Place(0, 0.0, 0.0, 0.0))
    burst(slots)
    fill(slots, ANA, "a0", "a1", "a2", "a3")
    served(slots, later(1))
    for flow in (ANA, BEN):
        foreseen = slots.outlook(flow, later(1))
        assert foreseen is not None
        turn = slots.join(f"z of {flow.name}", flow, later(1))
        assert foreseen.place.position == turn.position
        assert foreseen.place.starts_in == turn.starts_in
    assert turn.position < 3, "not behind the other user's jobs"


def test_how_many_jobs_of_a_flow_wait_is_known(slots: RedisSlots) -> None:
    burst(slots)
    heavy = Flow("interactive:carl", 1 / 3)
    fill(slots, heavy, *(f"c{number}" for number in range(9)))
    fill(slots, BEN, "b0", "b1")
    waiting = {}
    for flow in (heavy, BEN, ANA):
        outlook = slots.outlook(flow, START)
        assert outlook is not None
        waiting[flow] = outlook.of_flow
    assert waiting == {heavy: 9, BEN: 2, ANA: 0}


def test_a_band_is_narrow_while_the_queue_moves_and_wide_while_it_is_held_back(
    slots: RedisSlots,
) -> None:
    burst(slots)
    fill(slots, ANA, *(f"a{number:02}" for number in range(60)))
    place = slots.look(["a59"], START)["a59"]
    assert place.starts_in == 60.0
    assert place.earliest == pytest.approx(60 * 0.95, abs=1)
    assert place.latest == pytest.approx(60 * 1.25, abs=2)
    slots.throttled("first 0", START, 10.0)
    held = slots.look(["a59"], START)["a59"]
    assert held.earliest == pytest.approx(10 + math.log2(10) + 59 * 0.95, abs=1)
    assert held.latest >= held.starts_in == 10 + 59 * 10


def test_without_redis_there_is_a_slot_for_every_job() -> None:
    slots = RedisSlots(lambda: "redis://127.0.0.1:1/0", 60)
    assert slots.reserve("a", ANA, START).granted
    assert slots.look(["a"], START) == {}
    assert slots.outlook(ANA, START) is None
    assert slots.waiting(START) == 0
    slots.throttled("a", START, 5)
    slots.give_back("a", START)


_HEAVY = Flow("interactive:carl", 1 / 3)
_JOBS = st.sampled_from([f"job {number}" for number in range(12)])
_CALLS = st.lists(
    st.tuples(
        st.integers(0, 3000),
        st.one_of(
            st.tuples(
                st.just("join"), _JOBS, st.sampled_from([ANA, BEN, _HEAVY, Flow("batch:ana", 8.0)])
            ),
            st.tuples(st.just("reserve"), _JOBS, st.sampled_from([ANA, BEN])),
            st.tuples(st.just("next")),
            st.tuples(st.just("throttled"), _JOBS, st.integers(1, 12)),
            st.tuples(st.just("give_back"), _JOBS),
            st.tuples(st.just("look"), st.lists(_JOBS)),
            st.tuples(st.just("outlook"), st.sampled_from([ANA, BEN, _HEAVY])),
            st.tuples(st.just("waiting")),
            st.tuples(st.just("mark_complete")),
        ),
    ),
    max_size=60,
)


@hypothesis.given(_CALLS)
@hypothesis.settings(
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=60
)
def test_the_scripts_do_what_their_double_does(
    client: RedisClient, calls: list[tuple[int, tuple[object, ...]]]
) -> None:
    client.run(lambda server: server.flushall())
    double: Any = _Double()
    real, double = RedisSlots(str, 60, client), RedisSlots(str, 60, double)
    at = START
    for pause, (name, *given) in calls:
        at += timedelta(milliseconds=pause)
        answers = [_call(slots, str(name), given, at) for slots in (real, double)]
        assert answers[0] == answers[1]


def _call(slots: RedisSlots, name: str, given: list[object], at: datetime) -> object:
    if name == "next":
        return slots.next(at, at + timedelta(seconds=5))
    if name == "throttled":
        job, seconds = given
        slots.throttled(str(job), at, float(str(seconds)))
        return None
    return getattr(slots, name)(*given, at)


class _Double:
    """A client whose server has the scripts' double."""

    def __init__(self) -> None:
        self._pacing = MemoryPacing()

    def run(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def evalsha(self, sha: str, number: int, *rest: object) -> object:
        return self._pacing.evaluate(SCRIPTS[sha], rest[number:])
