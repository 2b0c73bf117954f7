"""Addresses of the distribution, checked as CloudFront checks them: by the public key alone."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.support.rsa_keys import lines, pair, pem
from vsl.adapters.cloudfront import signer as signer_module
from vsl.adapters.cloudfront.signer import CloudFrontAddresses
from vsl.adapters.cloudfront.signing_keys import find_signing_key, read_distribution
from vsl.adapters.s3.signer import MAX_SECONDS, MIN_SECONDS, response_headers
from vsl.domain.errors import ConfigurationError

EDGE = "https://d111111abcdef8.cloudfront.net"
KEY = "media/user%2F1/image/2026/03/01/job/0-out.png"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def delivery(**keys: rsa.RSAPrivateKey) -> str:
    named = {key_id: lines(key) for key_id, key in keys.items()}
    return json.dumps({"address": EDGE, "keys": named})


def signer(seconds: int = 3600, told: str | None = None) -> CloudFrontAddresses:
    text = told or delivery(K1=pair("one"))
    return CloudFrontAddresses(lambda: text, lambda: pem(pair("one")), seconds)


def taken_apart(url: str) -> tuple[str, dict[str, str]]:
    """What was signed, and the members that CloudFront takes off before it compares.

    Written after
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
    """
    base, _, query = url.partition("?")
    pairs = [part.partition("=") for part in query.split("&")]
    theirs = {"Expires", "Signature", "Key-Pair-Id", "Hash-Algorithm"}
    own = "&".join(f"{name}={value}" for name, _, value in pairs if name not in theirs)
    return f"{base}?{own}", {name: value for name, _, value in pairs if name in theirs}


def verify(url: str, key: rsa.RSAPrivateKey) -> None:
    resource, told = taken_apart(url)
    assert told["Hash-Algorithm"] == "SHA256"
    condition = {"DateLessThan": {"AWS:EpochTime": int(told["Expires"])}}
    statement = {"Statement": [{"Resource": resource, "Condition": condition}]}
    policy = json.dumps(statement, separators=(",", ":"))
    signature = base64.b64decode(told["Signature"].translate(str.maketrans("-_~", "+=/")))
    key.public_key().verify(signature, policy.encode(), padding.PKCS1v15(), hashes.SHA256())


def query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, timedelta())


def at(monkeypatch: pytest.MonkeyPatch, later: timedelta) -> None:
    monkeypatch.setattr(signer_module, "_now", lambda: NOON + later)


@pytest.mark.parametrize("content_type", ["image/png", "text/html", None])
def test_the_public_key_verifies_an_address(content_type: str | None) -> None:
    url = signer().url(KEY, content_type)
    verify(url, pair("one"))
    assert url.startswith(f"{EDGE}/")
    assert unquote(urlsplit(url).path) == "/" + KEY
    assert query(url)["Key-Pair-Id"] == "K1"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("0-out.png", "1-out.png"), ("image%2Fpng", "text%2Fhtml"), ("Expires=17", "Expires=27")],
)
def test_what_was_signed_cannot_be_changed(was: str, becomes: str) -> None:
    url = signer().url(KEY, "image/png")
    assert was in url
    with pytest.raises(InvalidSignature):
        verify(url.replace(was, becomes), pair("one"))


@pytest.mark.parametrize("content_type", ["image/png", "text/html", None])
def test_the_type_is_forced_as_a_presigned_address_forces_it(content_type: str | None) -> None:
    told = query(signer().url(KEY, content_type))
    wanted = response_headers(KEY, content_type)
    assert {name: told.get(name) for name in wanted} == wanted
    if content_type != "image/png":
        assert told["response-content-disposition"] == "attachment"


@pytest.mark.parametrize(("asked", "life"), [(3600, 3600), (0, MIN_SECONDS), (10**9, MAX_SECONDS)])
def test_an_address_is_never_handed_out_in_the_second_half_of_its_life(
    monkeypatch: pytest.MonkeyPatch, asked: int, life: int
) -> None:
    made = signer(asked)
    for part in range(20):
        now = timedelta(seconds=life * part / 10 + part % 3)
        at(monkeypatch, now)
        left = int(query(made.url(KEY))["Expires"]) - (NOON + now).timestamp()
        assert life / 2 <= left <= life


def test_an_address_is_signed_once_for_as_long_as_the_entity_tag_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, another = signer(), signer()
    first = made.url(KEY, "image/png")
    at(monkeypatch, timedelta(minutes=29))
    assert made.period(NOON) == made.period(NOON + timedelta(minutes=29))
    assert made.url(KEY, "image/png") is first
    assert another.url(KEY, "image/png") == first, "of another process, the very same"
    at(monkeypatch, timedelta(minutes=30))
    assert made.url(KEY, "image/png") != first


def test_a_rotation_is_one_write_of_the_private_key() -> None:
    told = {"delivery": delivery(K1=pair("one")), "key": pem(pair("one"))}
    made = CloudFrontAddresses(lambda: told["delivery"], lambda: told["key"], 3600)
    first = made.url(KEY)
    told["delivery"] = delivery(K1=pair("one"), K2=pair("two"))
    assert made.url(KEY) == first
    told["key"] = pem(pair("two"))
    second = made.url(KEY)
    verify(second, pair("two"))
    assert query(second)["Key-Pair-Id"] == "K2"
    told["delivery"] = delivery(K2=pair("two"))
    assert made.url(KEY) == second


def test_a_key_in_the_older_form_of_pem_is_taken() -> None:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    text = pair("one").private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    found = find_signing_key(text.decode(), read_distribution(delivery(K1=pair("one"))))
    assert found.id == "K1"


def broken() -> str:
    """A key whose public half is right and whose private one is not."""
    text = pem(pair("one"))
    numbers = pair("one").private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d ^ 8, numbers.dmp1 ^ 4, numbers.dmq1, numbers.iqmp,
        numbers.public_numbers,
    )  # fmt: skip
    made = pem(wrong.private_key(unsafe_skip_rsa_key_validation=True))
    assert made != text
    return made


FAULTY = {
    "no PEM": (lambda: "-----BEGIN nothing", "is no private key in PEM"),
    "empty": (lambda: "", "is no private key in PEM"),
    "a public key": (
        lambda: f"-----BEGIN PUBLIC KEY-----\n{lines(pair('one'))}\n-----END PUBLIC KEY-----",
        "is no private key in PEM",
    ),
    "a password": (lambda: pem(pair("one"), b"secret"), "without a password"),
    "another kind": (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key of 2048"),
    "too long": (lambda: pem(pair("long", 3072)), "no RSA key of 2048"),
    "damaged": (broken, "do not fit each other"),
    "unknown to CloudFront": (lambda: pem(pair("two")), "neither MediaPublicKeyA nor"),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_private_key_is_named_and_not_quoted(fault: str) -> None:
    text, said = FAULTY[fault]
    made = CloudFrontAddresses(lambda: delivery(K1=pair("one")), text, 3600)
    with pytest.raises(ConfigurationError, match=said) as raised:
        made.url(KEY)
    assert raised.value.details == {"parameter": "media-private-key"}
    assert "BEGIN" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"address": "x", "keys": []}', "{", "null"])
def test_a_faulty_description_of_the_distribution_is_named(text: str) -> None:
    made = CloudFrontAddresses(lambda: text, lambda: pem(pair("one")), 3600)
    with pytest.raises(ConfigurationError, match="media-delivery"):
        made.url(KEY)


def test_public_keys_that_are_none_are_passed_over() -> None:
    told = json.loads(delivery(K1=pair("one")))
    told["keys"] = {"K0": "no-base64", "K3": "AAAA", **told["keys"]}
    assert query(signer(told=json.dumps(told)).url(KEY))["Key-Pair-Id"] == "K1"
