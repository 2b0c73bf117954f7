"""The address of Redis: what redis-py gets of it, and how an operator learns what is wrong with it."""

from pathlib import Path
from typing import Any

import pytest
from redis.connection import parse_url

from vsl.adapters.aws.parameters import Parameters
from vsl.adapters.redis.address import AddressError, RedisAddress
from vsl.adapters.redis.client import RedisClient
from vsl.domain.errors import ConfigurationError


def read(address: RedisAddress) -> dict[str, Any]:
    """By redis-py."""
    found: dict[str, Any] = parse_url(address.url)  # type: ignore[no-untyped-call]
    found.pop("connection_class", None)
    return found


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("redis://here", {"host": "here"}),
        ("rediss://here:7000/2", {"host": "here", "port": 7000, "db": 2}),
        ("redis://:p%2Fw@here/", {"host": "here", "password": "p/w"}),
        (
            "redis://me:p%40w@[::1]:1",
            {"host": "::1", "port": 1, "username": "me", "password": "p@w"},
        ),
        ("redis://here?db=3&protocol=3", {"host": "here", "db": 3, "protocol": 3}),
        ("redis://here?socket_timeout=1.5", {"host": "here", "socket_timeout": 1.5}),
        (
            "redis://here?cluster=true&client_name=vsl%20one",
            {"host": "here", "client_name": "vsl one"},
        ),
        (
            "rediss://here?ssl_check_hostname=false&ssl_cert_reqs=none",
            {"host": "here", "ssl_check_hostname": False, "ssl_cert_reqs": "none"},
        ),
    ],
)
def test_redis_py_gets_what_the_address_says(text: str, known: dict[str, Any]) -> None:
    address = RedisAddress.of(text)
    assert read(address) == known
    assert address.cluster == ("cluster=true" in text)


def test_a_certificate_is_a_file_of_the_function(tmp_path: Path) -> None:
    certificate = tmp_path / "private ca.pem"
    text = f"rediss://here?ssl_ca_certs={certificate}"
    with pytest.raises(AddressError, match="ssl_ca_certs is not a file"):
        RedisAddress.of(text)
    certificate.touch()
    assert read(RedisAddress.of(text))["ssl_ca_certs"] == str(certificate)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "form"),
        ("here:6379", "form"),
        ("http://user:secret@here", "form"),
        ("redis:///0", "form"),
        ("redis://here:x", "form"),
        ("redis://here:0", "form"),
        ("redis://:se#cret@here", "form"),
        ("redis://:se/cret@here", "form"),
        ("redis://user:secret@here/first", "database is not a number"),
        ("redis://user:secret@here?ssl_ca_cert=x", "option ssl_ca_cert is unknown"),
        ("redis://user?secret@here", "one of its options is unknown"),
        ("redis://user:secret@here?password=secret", "option password is unknown"),
        ("redis://here?protocol=4", "protocol is not 2 or 3"),
        ("redis://here?socket_timeout=0", "socket_timeout is not a number of seconds"),
        ("redis://here?socket_timeout=nan", "socket_timeout is not a number of seconds"),
        ("redis://here?socket_connect_timeout=60", "above 0 and 5 at most"),
        ("redis://here?db=first", "db is not a whole number"),
        ("redis://here?cluster=maybe", "cluster is not true or false"),
        ("redis://here?client_name=", "client_name is not given"),
        ("rediss://here?ssl_cert_reqs=maybe", "ssl_cert_reqs is not none, optional or required"),
        ("redis://user:secret@here?ssl_check_hostname=no", "ssl_check_hostname is for rediss://"),
        ("redis://here/1?cluster=true", "a cluster has database 0 alone"),
        ("redis://here?db=1&cluster=yes", "a cluster has database 0 alone"),
        ("redis://here?cluster=1&health_check_interval=9", "is not for a cluster"),
    ],
)
def test_a_wrong_address_is_a_configuration_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, text: str, what: str
) -> None:
    parameters = Parameters("/vsl/test/")
    monkeypatch.setattr(Parameters, "find", lambda _self, _name: text)
    client = RedisClient(parameters.secret("redis-url"))
    with pytest.raises(ConfigurationError, match=what) as caught:
        client.run(lambda server: server.ping())
    assert "Write /vsl/test/redis-url as redis[s]://" in caught.value.message
    assert caught.value.details == {"parameter": "/vsl/test/redis-url"}
    assert "secret" not in str(caught.value)
    assert "se/cret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_word_of_a_password_is_in_what_is_printed() -> None:
    assert "secret" not in repr(RedisAddress.of("redis://me:secret@here"))
