"""The allow-list and the judgement of addresses."""

import pytest

from vsl.adapters.http.origins import Origins
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
        "HTTPS://replicate.delivery/out.png",
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
        "https://a..replicate.delivery/out.png",
        "https://.replicate.delivery/out.png",
        f"https://{'a' * 64}.replicate.delivery/out.png",
        f"https://{'.'.join(['a' * 63] * 4)}.replicate.delivery/out.png",
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


@pytest.mark.parametrize(
    "entry", ["replicate.delivery", "ftp://x.test", "https://", "https://a b", "https://a..b"]
)
def test_an_entry_that_is_no_origin_is_a_configuration_error(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="DOWNLOAD_ORIGINS"):
        Origins([entry])


def test_only_a_listed_literal_address_may_be_private() -> None:
    origins = Origins(["http://127.0.0.1:8080", "http://files.test"])
    origins.check_address("127.0.0.1", "127.0.0.1")
    with pytest.raises(DownloadRefused):
        origins.check_address("files.test", "127.0.0.1")
    with pytest.raises(DownloadRefused):
        origins.check_address("127.0.0.2", "127.0.0.2")
