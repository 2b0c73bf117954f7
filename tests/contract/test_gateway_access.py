"""Tokens of a user pool and signed requests at the local front: who passes, and what the others hear.

Expected answers: API Gateway's gateway responses (UNAUTHORIZED, EXPIRED_TOKEN, INVALID_SIGNATURE,
MISSING_AUTHENTICATION_TOKEN), in the words of our own document.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import jwt
import pytest

from devstack.gateway.access import Access
from devstack.gateway.document import ApiDocument
from devstack.identity import CLIENT, ISSUER, Identity
from tests.support.front import Backend, Front, api_document
from tests.support.signing import signed

REQUEST = {"modelId": "flux-schnell", "parameters": {"prompt": "x"}}
HOST = "https://api.test"


@cache
def identity() -> Identity:
    return Identity.new()


@pytest.fixture
def pool() -> Front:
    access = Access(issuer=ISSUER, jwks=identity().jwks())
    return Front(Backend(), {"ApiAuth": "COGNITO", "CognitoUserPoolArn": "arn:pool"}, access)


@pytest.fixture
def iam() -> Front:
    known = {identity().access_key_id: identity().secret_access_key}
    return Front(Backend(), {"ApiAuth": "IAM"}, Access(signing_keys=known))


def asked(front: Front, headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and code of a request for a status."""
    answer = front.send("GET", "/status/1", headers=headers)
    return answer.status, json.loads(answer.body).get("code", "")


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_a_tokens_claims_reach_functions_and_templates(pool: Front, scheme: str) -> None:
    headers = {"Authorization": scheme + identity().token("user-1", **{"custom:age": 7})}
    assert asked(pool, headers) == (200, "")
    ((_, event),) = pool.backend.events
    claims = event["requestContext"]["authorizer"]["claims"]
    assert (claims["sub"], claims["custom:age"]) == ("user-1", "7")
    pool.generate(REQUEST, headers)
    told = {"sub": "user-1", "aud": CLIENT, "token_use": "id"}
    assert pool.backend.started["claims"] == told == {name: claims[name] for name in told}


def test_a_request_cannot_bring_its_own_claims(pool: Front) -> None:
    victim = {"sub": "victim", "aud": CLIENT, "token_use": "id"}
    forged = {**REQUEST, "claims": victim, "requestContext": {"authorizer": {"claims": victim}}}
    pool.generate(forged, {"Authorization": identity().token("user-1"), "sub": "victim"})
    assert pool.backend.started["claims"]["sub"] == "user-1"


def tampered(token: str, claims: Mapping[str, object]) -> str:
    head, _, signature = token.split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{body}.{signature}"


def unsigned(key: str) -> str:
    """`alg: none`, and a key id as if it were signed."""
    claims = jwt.decode(identity().token("user-1"), options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm="none", headers={"kid": "local"})


def signed_by_the_public_key() -> str:
    """HS256 with what everybody knows as its secret: the classic confusion of algorithms."""
    public = identity().jwks()["keys"][0]
    claims = jwt.decode(identity().token("user-1"), options={"verify_signature": False})
    return jwt.encode(claims, public["n"], algorithm="HS256", headers={"kid": public["kid"]})


BAD_TOKENS: Mapping[str, Callable[[], str]] = {
    "none": lambda: "",
    "not a token": lambda: "nonsense",
    "another pool's key": lambda: replace(Identity.new()).token("user-1"),
    "another key with our key id": lambda: replace(
        identity(), private_key=Identity.new().private_key
    ).token("user-1"),
    "another issuer": lambda: identity().token("user-1", iss="https://evil.test"),
    "an access token": lambda: identity().token("user-1", token_use="access"),
    "not valid yet": lambda: identity().token("user-1", nbf=4_000_000_000),
    "changed claims": lambda: tampered(identity().token("user-1"), {"sub": "victim"}),
    "no algorithm": lambda: unsigned(""),
    "a public key as a secret": signed_by_the_public_key,
    "an API key": lambda: "secret",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_another_token_is_no_token(pool: Front, kind: str) -> None:
    assert asked(pool, {"Authorization": BAD_TOKENS[kind]()}) == (401, "Unauthorized")
    assert pool.backend.events == []


def test_an_expired_token_is_said_to_be_one(pool: Front) -> None:
    answer = pool.send(
        "GET", "/status/1", headers={"Authorization": identity().token("user-1", -1)}
    )
    assert answer.status == 401
    assert json.loads(answer.body)["detail"] == "The incoming token has expired"


def test_a_signed_request_passes_with_its_path_query_and_body(iam: Front) -> None:
    body = json.dumps({"userId": "ü", **REQUEST}).encode()
    headers = signed(identity(), "POST", f"{HOST}/generate-media", body)
    assert iam.send("POST", "/generate-media", body, {"Host": "api.test", **headers}).status == 202
    query = "userId=a%20b&limit=2&createdAfter=2026-03-01T00%3A00%3A00Z"
    headers = signed(identity(), "GET", f"{HOST}/jobs?{query}")
    answer = iam.send("GET", "/jobs", headers={"Host": "api.test", **headers}, query=query)
    assert answer.status == 200
    ((_, event),) = iam.backend.events
    assert event["requestContext"]["identity"]["accessKey"] == identity().access_key_id
    assert event["queryStringParameters"]["userId"] == "a b"


def status_headers(**options: object) -> dict[str, str]:
    headers = signed(identity(), "GET", f"{HOST}/status/1", **options)  # type: ignore[arg-type]
    return {"Host": "api.test", **headers}


def test_an_unsigned_request_is_no_request(iam: Front) -> None:
    assert asked(iam, {"Host": "api.test"}) == (403, "Forbidden")
    assert iam.backend.events == []


BAD_SIGNATURES: Mapping[str, Callable[[], dict[str, str]]] = {
    "expired": lambda: status_headers(at=datetime.now(UTC) - timedelta(minutes=6)),
    "from the future": lambda: status_headers(at=datetime.now(UTC) + timedelta(minutes=6)),
    "for another service": lambda: status_headers(service="s3"),
    "for another region": lambda: status_headers(region="eu-west-1"),
    "for another host": lambda: {**status_headers(), "Host": "evil.test"},
    "of a later moment": lambda: {**status_headers(), "X-Amz-Date": "20260301T120000Z"},
    "by a wrong secret": lambda: {
        "Host": "api.test",
        **signed(
            replace(identity(), secret_access_key="x"), "GET", f"{HOST}/status/1"
        ),
    },
    "by an unknown key": lambda: {
        "Host": "api.test",
        **signed(replace(identity(), access_key_id="AKIAUNKNOWN"), "GET", f"{HOST}/status/1"),
    },
    "of another path": lambda: {
        "Host": "api.test",
        **signed(identity(), "GET", f"{HOST}/status/2"),
    },
    "of another method": lambda: {
        "Host": "api.test",
        **signed(identity(), "DELETE", f"{HOST}/status/1"),
    },
    "of another query": lambda: {
        "Host": "api.test",
        **signed(identity(), "GET", f"{HOST}/status/1?userId=me"),
    },
    "a token": lambda: {"Host": "api.test", "Authorization": identity().token("user-1")},
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_SIGNATURES)
def test_another_signature_is_none(iam: Front, kind: str) -> None:
    assert asked(iam, BAD_SIGNATURES[kind]()) == (403, "Forbidden")
    assert iam.backend.events == []


@pytest.mark.parametrize("declare", [True, False])
def test_a_body_that_was_not_signed_is_refused(iam: Front, declare: bool) -> None:
    body = json.dumps({"userId": "me", **REQUEST}).encode()
    headers = signed(identity(), "POST", f"{HOST}/generate-media", body)
    if declare:
        headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    changed = body.replace(b"me", b"you")
    answer = iam.send("POST", "/generate-media", changed, {"Host": "api.test", **headers})
    assert answer.status == 403
    assert iam.backend.calls == []


def test_a_scheme_the_front_does_not_know_is_not_open_to_all() -> None:
    document = json.loads(json.dumps(api_document(ApiAuth="IAM").document))
    scheme = document["components"]["securitySchemes"]["Caller"]
    scheme["x-amazon-apigateway-authtype"] = "oauth2"
    with pytest.raises(ValueError, match="oauth2"):
        ApiDocument(document)
