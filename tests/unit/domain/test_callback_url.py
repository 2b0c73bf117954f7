"""What may stand as callbackUrl: public https addresses, in every spelling that hides another."""

import pytest

from vsl.domain.callbacks.callback_url import MAX_CHARACTERS, check_callback_url


@pytest.mark.parametrize(
    "url",
    [
        "https://client.example/hooks/vsl?tenant=7&token=a%20b",
        "https://client.example:8443",
        "https://xn--bcher-kva.example/",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]/hook",
        "https://my_host.example/hook",
        "https://client.example/" + "a" * (MAX_CHARACTERS - 23),
    ],
)
def test_public_addresses(url: str) -> None:
    assert check_callback_url(url, local=False) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://client.example/", "must be an https:// URL"),
        ("ftp://client.example/", "must be an https:// URL"),
        ("file:///etc/passwd", "must be an https:// URL"),
        ("javascript:alert(1)", "must be an https:// URL"),
        ("client.example/hook", "must be an https:// URL"),
        ("", "must be an https:// URL"),
        (None, "must be text"),
        (["https://client.example/"], "must be text"),
        ("https:///hook", "missing or malformed"),
        ("https://client.example:0/", "missing or malformed"),
        ("https://client.example:99999/", "host or port is malformed"),
        ("https://[::1/", "host or port is malformed"),
        ("https://[v1.fe]/", "missing or malformed"),
        ("https://user:secret@client.example/", "user name or password"),
        ("https://client.example@10.0.0.1/", "user name or password"),
        ("https://client.example/#part", "fragment"),
        ("https://client.example/a b", "percent-encoded"),
        ("https://client.example\\@10.0.0.1/", "percent-encoded"),
        ("https://client.example/\r\nHost: x", "percent-encoded"),
        ("https://bücher.example/", "percent-encoded"),
        ("https://client.example/" + "a" * MAX_CHARACTERS, "at most 2,048"),
    ],
)
def test_what_is_no_address_to_call(url: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_callback_url(url, local=False)


INSIDE = [
    "127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "255.255.255.255", "224.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
    "127.0.0.1.", "1.2.3.4.5", "999.1.1.1", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]",
    "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]",
    "localhost", "LOCALHOST", "localhost.", "api.localhost", "printer.local", "metadata.google.internal",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_addresses_inside_a_network_in_any_spelling(host: str) -> None:
    with pytest.raises(ValueError, match=r"inside a network|malformed"):
        check_callback_url(f"https://{host}/hook", local=False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/hook", "http://localhost/", "https://[::1]/"]
)
def test_the_local_stack_calls_back_on_loopback(url: str) -> None:
    assert check_callback_url(url, local=True) == url


def test_the_local_stack_takes_no_credentials_either() -> None:
    with pytest.raises(ValueError, match="user name or password"):
        check_callback_url("http://u:p@127.0.0.1/", local=True)


@pytest.mark.parametrize(
    "host", ["client..example", ".client.example", "a" * 64 + ".example", ".".join(["a" * 63] * 4)]
)
@pytest.mark.parametrize("local", [True, False])
def test_a_host_that_no_resolver_can_be_asked_for(host: str, local: bool) -> None:
    with pytest.raises(ValueError, match="the host or port is missing or malformed"):
        check_callback_url(f"https://{host}/hook", local=local)
