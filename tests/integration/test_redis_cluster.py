"""A cluster of two nodes: what one script touches lies on one of them, and each store finds its node."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from devstack.servers import Valkey
from tests.integration.test_redis_client import ping, use_all_stores
from tests.support.fakes import START
from tests.support.jobs import make_job
from tests.support.valkey_cluster import await_complete, cluster
from vsl.adapters.aws.parameters import Parameters
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.rate_limits import RedisRateLimits
from vsl.adapters.redis.wait_places import RedisWaitPlaces
from vsl.domain.api.limits import Limits, Verdict
from vsl.domain.errors import StoreUnavailable

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Valkey]]:
    with cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def nodes(running: list[Valkey]) -> list[Valkey]:
    for node in running:
        with redis.Redis(port=node.port) as admin:
            admin.flushall()
    return running


@pytest.fixture(params=["", "&protocol=3"])
def client(nodes: list[Valkey], request: pytest.FixtureRequest) -> Iterator[RedisClient]:
    url = f"redis://127.0.0.1:{nodes[0].port}/0?cluster=true{request.param}"
    client = RedisClient(lambda: url, rest_seconds=0)
    yield client
    client.close()


def keys(node: Valkey) -> set[str]:
    with redis.Redis(port=node.port, decode_responses=True) as admin:
        return set(admin.scan_iter())


def test_every_store(client: RedisClient) -> None:
    use_all_stores(client)
    assert ping(client)


def test_users_are_spread_and_each_ones_keys_are_together(
    client: RedisClient, nodes: list[Valkey]
) -> None:
    limits = RedisRateLimits(str, client)
    own = Limits(2, 2)
    users = [f"user-{number}" for number in range(12)]
    for user in users:
        verdicts = [
            limits.admit(make_job(f"{user} {n}", user_id=user), START, own, lambda: own, list)[
                0
            ].verdict
            for n in range(3)
        ]
        assert verdicts == [Verdict.ADMITTED, Verdict.ADMITTED, Verdict.HOUR_IS_FULL]
    places = RedisWaitPlaces(str, 1, 1, client)
    assert places.take("user-0", "wait", START, START + timedelta(seconds=9))
    found = [keys(node) for node in nodes]
    assert all(found), "both nodes hold some"
    for user in users:
        hour = f"ratelimit:user:{user}:hour"
        together = {hour, f"{{{hour}}}:running", f"{{{hour}}}:limits"}
        assert [together <= each for each in found].count(True) == 1
        assert [bool(together & each) for each in found].count(True) == 1


def test_without_the_option_another_nodes_key_is_refused_and_the_advice_names_it(
    nodes: list[Valkey],
) -> None:
    url = f"redis://127.0.0.1:{nodes[0].port}"
    client = RedisClient(lambda: url, rest_seconds=0)
    with pytest.raises(StoreUnavailable, match="cluster=true"):
        client.run(lambda server: [server.exists(f"key-{number}") for number in range(64)])
    client.close()


def test_a_server_that_is_no_cluster(redis_url: str) -> None:
    client = RedisClient(lambda: redis_url + "?cluster=true", rest_seconds=0)
    with pytest.raises(StoreUnavailable, match="Cluster mode is not enabled"):
        ping(client)


def test_a_password_that_changes(nodes: list[Valkey], monkeypatch: pytest.MonkeyPatch) -> None:
    """Met by a client that is made with the old one, and by one whose connections are cut off."""
    place = f"127.0.0.1:{nodes[0].port}?cluster=true"
    known, in_ssm = ["one"], ["one"]
    monkeypatch.setattr(Parameters, "find", lambda _self, _name: f"redis://:{known[0]}@{place}")
    monkeypatch.setattr(Parameters, "renew", lambda _self: known.__setitem__(0, in_ssm[0]))
    client = RedisClient(Parameters("/vsl/test/").secret("redis-url"), rest_seconds=0)
    try:
        for password in ("two", "three"):
            set_password(nodes, password)
            in_ssm[0] = password
            assert ping(client)
            use_all_stores(client)
            for node in nodes:
                with redis.Redis(port=node.port, password=password) as admin:
                    admin.flushall()
    finally:
        client.close()
        set_password(nodes, "")


_passwords = {0: ""}


def set_password(nodes: list[Valkey], password: str) -> None:
    """And cut off who came with the former one."""
    for node in nodes:
        with redis.Redis(port=node.port, password=_passwords[0] or None) as admin:
            admin.config_set("requirepass", password)
            admin.client_kill_filter(_type="normal", skipme=True)
    _passwords[0] = password


def test_a_node_that_is_gone_is_away_and_used_again_when_it_is_back(
    nodes: list[Valkey], client: RedisClient
) -> None:
    keys_of_both = [f"key-{number}" for number in range(64)]

    def read_all(server: object) -> int:
        return sum(server.exists(key) for key in keys_of_both)  # type: ignore[attr-defined]

    assert client.run(read_all) == 0
    nodes[1].stop()
    try:
        with pytest.raises(StoreUnavailable):
            client.run(read_all)
    finally:
        nodes[1].start()
        await_complete(nodes)
    assert client.run(read_all) == 0
