"""Signatures of webhooks: over the raw bytes, in time, one of several being enough."""

import pytest

from vsl.domain.errors import InvalidSignature
from vsl.domain.predictions.signature import TOLERANCE_SECONDS, read_secrets, sign, verify

OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8
BODY = b'{"id": "p1",  "status": "succeeded"}'
NOW = 1_772_366_400


def headers(signature: str, at: int = NOW) -> dict[str, str]:
    return {"Webhook-Id": "msg_1", "WEBHOOK-TIMESTAMP": str(at), "webhook-signature": signature}


def signed(secret: str, at: int = NOW) -> str:
    return f"v1,{sign(secret, 'msg_1', str(at), BODY)}"


@pytest.mark.parametrize(
    "signature",
    [
        signed(NEW),
        f"{signed(OLD)} {signed(NEW)}",
        f"{signed(NEW)} {signed(OLD)}",
        f"v1a,not-ours {signed(NEW)}",
    ],
    ids=["one", "second of two", "first of two", "beside another scheme"],
)
def test_one_good_signature_is_enough(signature: str) -> None:
    verify(headers(signature), BODY, [NEW], NOW)


def test_while_a_secret_is_changed_both_are_good() -> None:
    for secret in (OLD, NEW):
        verify(headers(signed(secret)), BODY, [NEW, OLD], NOW)


@pytest.mark.parametrize(
    "signature",
    ["", "v1", "v1,", signed(OLD), signed(NEW).replace("v1,", "v2,"), signed(NEW)[:-4]],
)
def test_anything_else_is_not(signature: str) -> None:
    with pytest.raises(InvalidSignature):
        verify(headers(signature), BODY, [NEW], NOW)


def test_the_raw_bytes_are_signed_and_not_what_they_mean() -> None:
    with pytest.raises(InvalidSignature):
        verify(headers(signed(NEW)), BODY.replace(b"  ", b" "), [NEW], NOW)


@pytest.mark.parametrize("away", [-TOLERANCE_SECONDS, TOLERANCE_SECONDS])
def test_the_clocks_may_differ_by_the_tolerance_and_no_more(away: int) -> None:
    at = NOW + away
    verify(headers(signed(NEW, at), at), BODY, [NEW], NOW)
    at += 1 if away > 0 else -1
    with pytest.raises(InvalidSignature):
        verify(headers(signed(NEW, at), at), BODY, [NEW], NOW)


@pytest.mark.parametrize(
    "text",
    [
        f"{NEW},{OLD}",
        f" {NEW} , {OLD}\n",
        f"{NEW}\n{OLD}\n",
        f'"{NEW},{OLD}"',
        f"'{NEW}', '{OLD}'",
        f"{NEW.rstrip('=')},,{OLD}",
    ],
)
def test_secrets_are_read_however_they_were_pasted(text: str) -> None:
    assert read_secrets(text) == ([NEW, OLD], [])


@pytest.mark.parametrize(
    "bad", ["whsec_", "whsec_!!!!", "whsec_é", "one", "whsec_c2hvcnQ=", NEW[:-3]]
)
def test_a_malformed_secret_is_told_by_its_place_and_the_others_are_good(bad: str) -> None:
    assert read_secrets(f"{bad},{NEW},{bad},{OLD}") == ([NEW, OLD], [1, 3])


def test_no_secret_is_none() -> None:
    assert read_secrets(" ,\n") == ([], [])
