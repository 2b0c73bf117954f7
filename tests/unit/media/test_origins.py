"""The allow-list and the judgement of addresses."""

import pytest

from vsl.adapters.origins import Origins, is_public
from vsl.domain.errors import ConfigurationError, DownloadRefused

REPLICATE = ("https://replicate.delivery", "https://*.replicate.delivery")


@pytest.mark.parametrize(
    "url",
    [
        "https://replicate.delivery/xezq/key/out-0.webp",
        "https://pbxt.replicate.delivery/key/out.png?x=1",
        "https://a.b.replicate.delivery/out.png",
        "https://REPLICATE.delivery:443/out.png",
        "https://replicate.delivery./out.png",
    ],
)
def test_listed_origins_are_accepted(url: str) -> None:
    Origins(REPLICATE).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://replicate.delivery/out.png",
        "https://replicate.delivery:8443/out.png",
        "https://replicate.delivery.evil.test/out.png",
        "https://evilreplicate.delivery/out.png",
        "https://user:secret@replicate.delivery/out.png",
        "https://replicate.delivery@evil.test/out.png",
        "https://evil.test\\@replicate.delivery/out.png",
        "https://evil.test\t.replicate.delivery/out.png",
        "https://replicate.delivery:port/out.png",
        "https://rеplicate.delivery/out.png",  # noqa: RUF001 - a Cyrillic letter
        "https://*.replicate.delivery/out.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/out.png",
        "https://[replicate.delivery/out.png",
        "ftp://replicate.delivery/out.png",
        "file:///etc/passwd",
        "//replicate.delivery/out.png",
        "",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(DownloadRefused):
        Origins(REPLICATE).check(url)


def test_a_refusal_names_the_host_but_not_the_query() -> None:
    with pytest.raises(DownloadRefused) as caught:
        Origins(REPLICATE).check("https://evil.test/x?signature=secret")
    assert caught.value.details == {"host": "evil.test"}
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("entry", ["replicate.delivery", "ftp://x.test", "https://", "https://a b"])
def test_an_entry_that_is_no_origin_is_a_configuration_error(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="DOWNLOAD_ORIGINS"):
        Origins([entry])


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
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_only_a_listed_literal_address_may_be_private() -> None:
    origins = Origins(["http://127.0.0.1:8080", "http://files.test"])
    origins.check_address("127.0.0.1", "127.0.0.1")
    with pytest.raises(DownloadRefused):
        origins.check_address("files.test", "127.0.0.1")
    with pytest.raises(DownloadRefused):
        origins.check_address("127.0.0.2", "127.0.0.2")
