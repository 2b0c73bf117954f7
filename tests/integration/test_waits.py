"""Places to wait at, against a real Redis: so many a user, so many in all, none kept by the dead."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import redis
from redis.crc import key_slot

from devstack.servers import free_port
from tests.support.fakes import START
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.wait_places import RedisWaitPlaces

pytestmark = pytest.mark.integration


def places(url: str, per_user: int = 2, in_all: int = 3) -> Iterator[RedisWaitPlaces]:
    client = RedisClient(lambda: url)
    yield RedisWaitPlaces(lambda: url, per_user, in_all, client)
    client.close()


@pytest.fixture
def few(redis_url: str) -> Iterator[RedisWaitPlaces]:
    yield from places(redis_url)


def take(places: RedisWaitPlaces, user: str, wait: str, at: datetime = START) -> bool:
    return places.take(user, wait, at, at + timedelta(seconds=25))


def test_a_user_has_so_many_places_and_all_have_so_many(few: RedisWaitPlaces) -> None:
    assert [take(few, "ann", f"a{n}") for n in range(3)] == [True, True, False]
    assert [take(few, "bob", f"b{n}") for n in range(2)] == [True, False]


def test_a_place_comes_back(few: RedisWaitPlaces) -> None:
    for wait in ("a1", "a2"):
        assert take(few, "ann", wait)
    few.give_back("ann", "a1")
    few.give_back("ann", "a1")
    assert [take(few, "ann", wait) for wait in ("a3", "a4")] == [True, False]
    few.give_back("bob", "a2")
    assert not take(few, "ann", "a5"), "nobody gives back another's place"


def test_a_wait_that_asks_twice_has_the_place_it_has(few: RedisWaitPlaces) -> None:
    """The first answer may have been lost on its way, and the command sent again."""
    assert [take(few, "ann", wait) for wait in ("a1", "a2", "a2", "a1")] == [True] * 4
    assert [take(few, "bob", wait) for wait in ("b1", "b1", "b2")] == [True, True, False]


def test_a_refused_wait_takes_no_place(few: RedisWaitPlaces) -> None:
    for wait in ("a1", "a2", "a3"):
        take(few, "ann", wait)
    assert take(few, "bob", "b1"), "the third of ann's stands nowhere"


def test_who_died_while_waiting_keeps_no_place(few: RedisWaitPlaces) -> None:
    for wait in ("a1", "a2"):
        assert take(few, "ann", wait)
    assert not take(few, "ann", "a3", START + timedelta(seconds=24.9))
    assert take(few, "ann", "a3", START + timedelta(seconds=25))


def test_of_many_at_once_exactly_as_many_wait(redis_url: str) -> None:
    together = threading.Barrier(40)
    for found in places(redis_url, per_user=7, in_all=100):

        def ask(number: int, found: RedisWaitPlaces = found) -> bool:
            together.wait()
            return take(found, "ann", f"wait-{number}")

        with ThreadPoolExecutor(40) as threads:
            assert sum(threads.map(ask, range(40))) == 7


def test_none_waits_where_none_may(redis_url: str) -> None:
    for per_user, in_all in ((0, 9), (9, 0)):
        for found in places(redis_url, per_user, in_all):
            assert not take(found, "ann", "a1")


def test_without_redis_nobody_waits_and_nothing_fails() -> None:
    for found in places(f"redis://127.0.0.1:{free_port()}/0"):
        assert not take(found, "ann", "a1")
        found.give_back("ann", "a1")


def test_what_is_kept_goes_by_itself_and_stands_in_one_slot(
    few: RedisWaitPlaces, redis_url: str
) -> None:
    assert take(few, "ann", "a1")
    with redis.Redis.from_url(redis_url, decode_responses=True) as raw:
        keys: list[str] = list(raw.scan_iter("*wait*"))
        assert sorted(keys) == ["{waits}:all", "{waits}:user:ann"]
        assert len({key_slot(key.encode()) for key in keys}) == 1
        for key in keys:
            remaining = raw.pttl(key)
            assert isinstance(remaining, int)
            assert 0 < remaining <= 60_000
