"""A job does no more than its budget: a call, a write unit or a transition more is a decision."""

from benchmarks.work import BUDGET, count


def test_a_plain_job_stays_within_its_budget() -> None:
    found, _ = count()
    assert found.keys() == BUDGET.keys()
    over = {name: (found[name], BUDGET[name]) for name in BUDGET if found[name] > BUDGET[name]}
    assert over == {}, "more than the budget in benchmarks/work.py"


def test_a_budget_nobody_needs_is_lowered() -> None:
    found, _ = count()
    loose = {name: (found[name], BUDGET[name]) for name in BUDGET if found[name] < BUDGET[name]}
    assert loose == {}, "less than the budget in benchmarks/work.py: write the new figure there"
