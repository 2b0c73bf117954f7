"""Addresses inside our network, in every way they can be written."""

import socket

import pytest

from vsl.domain.catalogue.addresses import is_host, is_public, is_public_host, literal_address


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07:6820:80da::1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "192.88.99.1",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "2001:0:1::1",
        "fec0::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1",
    "017700000001", "0x7f.0.0.0x1", "127.0.0.1.",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
def test_an_address_of_ipv4_is_known_in_every_form(host: str) -> None:
    assert literal_address(host) == "127.0.0.1"
    assert socket.inet_ntoa(socket.inet_aton(host.removesuffix("."))) == "127.0.0.1"
    assert not is_public_host(host)


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "[::1]", "::ffff:a00:1",
     "0", "localhost", "api.localhost", "db", "metadata.google.internal", "printer.local", "nas.lan"],
)  # fmt: skip
def test_hosts_that_are_not_on_the_internet(host: str) -> None:
    assert not is_public_host(host.strip("[]"))


@pytest.mark.parametrize(
    "host", ["example.com", "example.com.", "8.8.8.8", "134744072", "2606:4700::1111", "1.example"]
)
def test_hosts_that_may_be_on_the_internet(host: str) -> None:
    assert is_public_host(host)


@pytest.mark.parametrize(
    "host", ["256.1.1.1", "1.2.3.4.5", "127.0.0.4294967296", "example.0x", "08.0.0.1", "a.1", "::g"]
)
def test_hosts_that_end_in_a_number_and_are_no_address(host: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        is_public_host(host)


NO_HOSTS = [
    "", ".", "..", ".example.com", "example..com", "example.com..", "a" * 64 + ".example", "a" * 64,
    ".".join(["a" * 63] * 4), "exa mple.com", "ex%61mple.com", "bücher.example", "a/b", "a\\b", "a@b",
    "::g", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_at_all(host: str) -> None:
    assert not is_host(host)


@pytest.mark.parametrize(
    "host",
    ["example.com", "example.com.", "localhost", "my_host", "xn--bcher-kva.example", "127.0.0.1",
     "::1", "2606:4700::1111", "a" * 63 + ".example", ".".join(["a" * 49] * 5) + ".org"],
)  # fmt: skip
def test_what_is_a_host(host: str) -> None:
    assert is_host(host)
