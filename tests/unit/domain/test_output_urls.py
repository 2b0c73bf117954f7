"""Which strings of an output are addresses of files."""

import pytest

from vsl.domain.predictions.output import output_urls


@pytest.mark.parametrize(
    "address",
    [
        "https://replicate.delivery/a.png",
        "HTTPS://replicate.delivery/a.png",
        "Http://replicate.delivery/a.png",
        " https://replicate.delivery/my file.png\n",
        "data:image/png;base64,AAAA",
        "DATA:image/png;base64,AAAA",
    ],
)
def test_an_address_is_known_however_it_is_written(address: str) -> None:
    assert list(output_urls({"file": [address, "some text", None, 1]})) == [address]
