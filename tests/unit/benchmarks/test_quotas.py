"""The simulation of quotas against cases whose answer can be reckoned by hand."""

import pytest

from benchmarks.scale.quotas import TICK, Bucket, Course, Slots, Step, simulate


def steady(rate: float, seconds: float) -> list[float]:
    return [rate * TICK] * round(seconds / TICK)


def at_once(jobs: float, seconds: float) -> list[float]:
    return [jobs] + [0.0] * (round(seconds / TICK) - 1)


def done(course: Course, seconds: float) -> float:
    return sum(course.finished[: round(seconds / TICK)])


def test_a_bucket_fills_to_its_burst_and_no_further() -> None:
    bucket = Bucket(100, 10)
    bucket.take(100)
    assert bucket.tokens == 0
    bucket.refill(3)
    assert bucket.tokens == pytest.approx(30)
    bucket.refill(1000)
    assert bucket.tokens == 10_000, "what a tick brings may be spent in it"
    bucket.refill(TICK)
    assert bucket.tokens == 100


def test_below_every_quota_all_pass_at_once() -> None:
    step = Step("only", 1, {"tokens": 1}, {"slots": 1})
    course = simulate([step], {"tokens": Bucket(10, 10)}, {"slots": Slots(10)}, steady(5, 20))
    assert sum(course.finished) == pytest.approx(100)
    assert (course.short, course.first, course.failed) == ({}, None, 0)
    assert course.rate(5) == pytest.approx(5)


def test_a_burst_takes_the_bucket_and_then_the_refill() -> None:
    """1,000 jobs, 600 tokens and 10 a second: 600 at once, the last after 40 seconds."""
    step = Step("only", 1, {"tokens": 1})
    course = simulate([step], {"tokens": Bucket(600, 10)}, {}, at_once(1000, 60))
    assert done(course, TICK) == pytest.approx(600)
    assert done(course, 20) == pytest.approx(600 + 200, abs=10 * TICK)
    assert sum(course.finished) == pytest.approx(1000)
    assert course.finished[round(41 / TICK)] == 0
    assert course.short == {"tokens": 0.0}


def test_a_job_that_needs_more_tokens_waits_longer() -> None:
    step = Step("only", 1, {"tokens": 8})
    course = simulate([step], {"tokens": Bucket(8, 80)}, {}, steady(20, 30))
    assert course.rate(10) == pytest.approx(10)
    assert course.waiting["only"] == pytest.approx(20 * 30 - 10 * 30, rel=0.01)


@pytest.mark.parametrize(("seconds", "rate"), [(2.0, 50.0), (0.1, 1000.0), (1.0, 100.0)])
def test_slots_let_through_what_littles_law_says(seconds: float, rate: float) -> None:
    """A hundred at once: 50 a second of two seconds each. What takes half a tick takes half a slot."""
    slots = Slots(100)
    step = Step("only", seconds, {}, {"slots": seconds})
    course = simulate([step], {}, {"slots": slots}, steady(2000, 40))
    assert course.rate(20) == pytest.approx(rate, rel=0.03)
    assert slots.peak == pytest.approx(100, rel=0.01)
    assert course.first == "slots"


def test_slots_that_grow_let_more_through() -> None:
    step = Step("only", 1, {}, {"slots": 1})
    course = simulate([step], {}, {"slots": Slots(100, growth=10)}, steady(400, 20))
    assert course.rate(1) == pytest.approx(100 + 10 * 19.5, rel=0.05)


def test_two_steps_share_a_bucket_in_proportion() -> None:
    """Both steps of a job take one of 20 tokens a second: ten jobs a second come through."""
    steps = [Step("first", TICK, {"tokens": 1}), Step("second", TICK, {"tokens": 1})]
    course = simulate(steps, {"tokens": Bucket(1, 20)}, {}, steady(10, 60))
    assert course.rate(10) == pytest.approx(10, rel=0.02)
    assert sum(course.waiting.values()) < 10


def test_what_one_quota_holds_up_asks_nothing_of_the_others() -> None:
    """The second bucket would be too small for what waits, but not for what the first lets come."""
    step = Step("only", 1, {"narrow": 1, "wide": 1})
    buckets = {"narrow": Bucket(5, 5), "wide": Bucket(8, 8)}
    course = simulate([step], buckets, {}, steady(100, 20))
    assert course.first == "narrow"
    assert course.short.keys() == {"narrow"} | ({"wide"} if "wide" in course.short else set())
    assert course.rate(10) == pytest.approx(5, rel=0.02)


def test_steps_take_their_time() -> None:
    steps = [Step("first", 3, {}), Step("second", 1, {})]
    course = simulate(steps, {}, {}, at_once(7, 10))
    assert done(course, 3) == 0
    assert done(course, 3 + 2 * TICK) == 7


def test_who_waits_too_long_fails() -> None:
    """30 jobs, one token a second, ten seconds of patience: some ten pass, the others give up."""
    step = Step("only", 1, {"tokens": 1}, patience=10)
    course = simulate([step], {"tokens": Bucket(1, 1)}, {}, at_once(30, 60))
    assert course.failed == pytest.approx(30 - 11, abs=1)
    assert sum(course.finished) + course.failed == pytest.approx(30)


def test_nothing_is_lost_on_the_way() -> None:
    steps = [
        Step("a", 0.7, {"x": 1}, {"s": 0.3}),
        Step("b", 2.1, {"x": 2}, {"s": 1.1}, patience=5),
        Step("c", 0.1, {"y": 1}),
    ]
    buckets = {"x": Bucket(50, 20), "y": Bucket(3, 7)}
    course = simulate(steps, buckets, {"s": Slots(12)}, steady(15, 30) + [0.0] * 2000)
    assert sum(course.finished) + course.failed == pytest.approx(15 * 30)
    assert sum(course.waiting.values()) == pytest.approx(0, abs=1e-6)
