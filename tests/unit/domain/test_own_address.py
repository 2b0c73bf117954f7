"""Clients are led to an address of the API's own, whatever a request claims."""

import pytest

from vsl.domain.api.own_address import own_address

OWN = ("https://media.example.com/v1/", "http://127.0.0.1:8080", "https://[::1]:8443")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("media.example.com", "https://media.example.com/v1"),
        ("MEDIA.Example.Com", "https://media.example.com/v1"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_a_request_by_one_of_several_is_answered_with_that_one(host: str, address: str) -> None:
    assert own_address(OWN, host) == address


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example/?", "", "media.example.com:1", "media.example.com.", None, 7,
     "x@media.example.com", "127.0.0.1", "https://media.example.com"],
)  # fmt: skip
def test_any_other_host_is_answered_with_the_first(host: object) -> None:
    assert own_address(OWN, host) == "https://media.example.com/v1"
