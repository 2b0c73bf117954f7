"""Which calls run and which wait, in virtual time."""

import threading

import pytest

from devstack.hosting.gate import Gate
from devstack.hosting.places import Call, Limits, Places

LIMITS = Limits(
    each=2,
    total=3,
    share=1.0,
    holding=frozenset({"status", "wait"}),
    patient=5,
    look=0.25,
    behind=frozenset({"store"}),
)


def asked(places: Places, *functions: str) -> list[Call]:
    return [places.ask(function) for function in functions]


def names(calls: list[Call]) -> list[str]:
    return [call.function for call in calls]


def test_calls_beyond_the_total_wait_in_the_order_they_came() -> None:
    places = Places(LIMITS)
    asked(places, "a", "b", "c", "d", "e")
    first = places.admit(0)
    assert names(first) == ["a", "b", "c"]
    assert places.admit(0.5) == []
    places.leave(first[1])
    assert names(places.admit(0.5)) == ["d"]


def test_calls_beyond_a_functions_own_limit_let_others_pass() -> None:
    places = Places(LIMITS)
    asked(places, "a", "a", "a", "b")
    first = places.admit(0)
    assert names(first) == ["a", "a", "b"]
    places.leave(first[2])
    assert places.admit(0) == [], "a third call of the same function waits although there is room"
    places.leave(first[0])
    assert names(places.admit(0)) == ["a"]


def test_a_call_that_takes_long_lends_its_place_to_others_but_not_its_worker() -> None:
    places = Places(LIMITS)
    asked(places, "a", "a", "b", "c", "a")
    assert names(places.admit(0)) == ["a", "a", "b"]
    assert places.next_change(0.4) == 0.6
    assert places.admit(0.9) == []
    assert names(places.admit(1.0)) == ["c"], "a's third still waits: its function is full"


def test_no_chain_of_calls_that_wait_for_each_other_is_stuck() -> None:
    """Every running call waits for one that has not begun; each gets its turn after a share."""
    places = Places(Limits(each=1, total=1, share=1.0))
    for step in range(20):
        places.ask(f"step {step}")
        assert names(places.admit(float(step))) == [f"step {step}"]


def test_calls_that_hold_a_client_take_no_place_from_the_steps() -> None:
    places = Places(LIMITS)
    asked(places, *["wait"] * 7, "a", "b", "c")
    assert names(places.admit(0)) == ["wait", "wait", "a", "b", "c"]
    assert names(places.admit(0.25)) == ["wait", "wait"]
    assert names(places.admit(0.5)) == ["wait"], "five at most"
    assert places.admit(60) == []


def test_waiting_clients_delay_those_that_only_look_by_a_moment() -> None:
    places = Places(LIMITS)
    asked(places, "status", "status", "status")
    places.admit(0)
    assert places.admit(0.2) == []
    assert names(places.admit(0.25)) == ["status"]


def test_accepted_jobs_go_on_when_no_client_waits() -> None:
    places = Places(LIMITS)
    asked(places, "store", "a", "store", "b", "c")
    first = places.admit(0)
    assert names(first) == ["a", "b", "c"]
    places.leave(first[0])
    assert names(places.admit(0)) == ["store"]


def test_of_a_step_behind_one_runs_until_it_takes_long() -> None:
    places = Places(LIMITS)
    asked(places, "store", "store", "store", "a")
    assert names(places.admit(0)) == ["a", "store"], "one worker serves them in turn"
    assert places.admit(0.9) == []
    assert names(places.admit(1.0)) == ["store"], "the first waits for something outside"
    assert places.admit(60) == [], "two at most"


def test_a_call_that_gives_up_leaves_the_queue() -> None:
    places = Places(Limits(each=1, total=1))
    first, second, third = asked(places, "a", "a", "a")
    assert places.admit(0) == [first]
    places.leave(second)
    places.leave(first)
    assert places.admit(0) == [third]


def test_threads_run_no_more_than_may_and_all_get_their_turn() -> None:
    gate = Gate(Limits(each=2, total=3, share=60))
    running, most, done = 0, 0, []
    lock = threading.Lock()

    def call(number: int) -> None:
        nonlocal running, most
        with gate.place("ab"[number % 2]):
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.002)
            with lock:
                running -= 1
                done.append(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == list(range(40))
    assert 1 < most <= 3


def test_a_thread_is_let_in_by_age_alone() -> None:
    """The first call never ends before the second one has run."""
    gate = Gate(Limits(each=2, total=1, share=0.01))
    inner = threading.Event()

    def second() -> None:
        with gate.place("second"):
            inner.set()

    with gate.place("first"):
        thread = threading.Thread(target=second)
        thread.start()
        assert inner.wait(60)
    thread.join(60)


def test_an_error_gives_the_place_back() -> None:
    gate = Gate(Limits(each=1, total=1, share=60))
    with pytest.raises(ZeroDivisionError), gate.place("a"):
        _ = 1 / 0
    with gate.place("a"):
        pass
