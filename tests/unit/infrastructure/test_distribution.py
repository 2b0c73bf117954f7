"""The distribution of stored files as CloudFormation gets it, for both values of MediaDelivery."""

import json
import re
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from devstack.template import UNKNOWN_TO_THE_ENGINE
from tests.support.deployed import PUBLIC_KEYS, of_type, resolved, transformed
from tests.support.rsa_keys import lines, pair
from tests.support.template import template
from vsl.adapters.cloudfront.signing_keys import read_distribution
from vsl.domain.jobs.object_keys import MEDIA_PREFIX, THUMBNAIL_PREFIX

PARAMETERS: dict[str, Any] = template()["Parameters"]
ON = {"MediaDelivery": "cloudfront", "MediaPublicKeyA": PUBLIC_KEYS["A"]}
BOTH = {**ON, "MediaPublicKeyB": PUBLIC_KEYS["B"]}
OWN_DOMAIN = {"MediaDomainName": "files.example.com", "MediaCertificateArn": "arn:one"}
FUNCTION = "AWS::Lambda::Function"


@cache
def _transformed() -> dict[str, Any]:
    return transformed()


def stack(**parameters: str) -> dict[str, dict[str, Any]]:
    return resolved(_transformed(), parameters)


def properties(name: str, **parameters: str) -> dict[str, Any]:
    found: dict[str, Any] = stack(**parameters)[name]["Properties"]
    return found


def behaviour(**parameters: str) -> dict[str, Any]:
    config = properties("MediaDistribution", **parameters)["DistributionConfig"]
    found: dict[str, Any] = config["DefaultCacheBehavior"]
    return found


def test_without_it_nothing_of_cloudfront_is_made() -> None:
    assert PARAMETERS["MediaDelivery"]["Default"] == "presigned"
    for given in ({}, {"MediaPublicKeyA": PUBLIC_KEYS["A"], **OWN_DOMAIN}):
        made = stack(**given)
        assert not {n for n, r in made.items() if r["Type"].startswith("AWS::CloudFront::")}
        assert "MediaDeliveryParameter" not in made
        assert "cloudfront" not in json.dumps(made["MediaBucketPolicy"])


@pytest.mark.parametrize("given", [ON, BOTH])
def test_the_bucket_lets_this_distribution_read_files_and_nobody_else(
    given: dict[str, str],
) -> None:
    policy = properties("MediaBucketPolicy", **given)
    tls, read = policy["PolicyDocument"]["Statement"]
    assert tls["Effect"] == "Deny"
    assert read["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert read["Action"] == "s3:GetObject"
    assert read["Resource"] == [
        f"<MediaBucket.Arn>/{MEDIA_PREFIX}*",
        f"<MediaBucket.Arn>/{THUMBNAIL_PREFIX}*",
    ]
    source = "arn:aws:cloudfront::123456789012:distribution/<MediaDistribution>"
    assert read["Condition"] == {"StringEquals": {"aws:SourceArn": source}}
    closed = properties("MediaBucket", **given)["PublicAccessBlockConfiguration"]
    assert all(closed.values())


def test_every_request_to_s3_is_signed_whatever_the_viewer_sent() -> None:
    """So replicate-python's Authorization header never gets there."""
    config = properties("MediaOriginAccess", **ON)["OriginAccessControlConfig"]
    assert config["SigningBehavior"] == "always"
    assert config["SigningProtocol"] == "sigv4"
    (origin,) = properties("MediaDistribution", **ON)["DistributionConfig"]["Origins"]
    assert origin["OriginAccessControlId"] == "<MediaOriginAccess>"
    assert origin["DomainName"] == "<MediaBucket.RegionalDomainName>"


def test_addresses_are_signed_read_only_and_https() -> None:
    found = behaviour(**ON)
    assert found["TrustedKeyGroups"] == ["<MediaKeyGroup>"]
    assert found["ViewerProtocolPolicy"] == "https-only"
    assert found["AllowedMethods"] == ["GET", "HEAD"]
    config = properties("MediaDistribution", **ON)["DistributionConfig"]
    assert "CacheBehaviors" not in config, "all there is, is signed"


def test_the_cache_hands_on_what_forces_the_type_and_keeps_nothing_for_long() -> None:
    config = properties("MediaCachePolicy", **ON)["CachePolicyConfig"]
    handed_on = config["ParametersInCacheKeyAndForwardedToOrigin"]
    assert handed_on["QueryStringsConfig"] == {
        "QueryStringBehavior": "whitelist",
        "QueryStrings": ["response-content-disposition", "response-content-type"],
    }
    assert handed_on["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert handed_on["CookiesConfig"] == {"CookieBehavior": "none"}
    assert config["MaxTTL"] == config["DefaultTTL"] == 300, "as docs/security.md has it"
    assert config["MinTTL"] == 0
    assert behaviour(**ON)["CachePolicyId"] == "<MediaCachePolicy>"


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [("", None), ("*", ["*"]), ("https://a.example,https://b.example", 2)],
)
def test_answers_are_protected_and_read_by_the_configured_origins(
    origins: str, allowed: Any
) -> None:
    given = {**ON, "CorsOrigins": origins}
    config = properties("MediaResponseHeadersPolicy", **given)["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    assert security["ContentTypeOptions"] == {"Override": True}
    assert "sandbox" in security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert all(each["Override"] for each in security.values())
    if allowed is None:
        assert "CorsConfig" not in config
    else:
        wanted = origins.split(",") if allowed == 2 else allowed
        assert config["CorsConfig"]["AccessControlAllowOrigins"] == {"Items": wanted}
        assert config["CorsConfig"]["AccessControlAllowCredentials"] is False
    assert behaviour(**given)["ResponseHeadersPolicyId"] == "<MediaResponseHeadersPolicy>"


@pytest.mark.parametrize("places", ["A", "B", "AB"])
def test_keys_reach_cloudfront_as_pem_and_functions_by_their_ids(places: str) -> None:
    chosen = {f"MediaPublicKey{place}": lines(pair(place)) for place in places}
    made = stack(MediaDelivery="cloudfront", **chosen)
    keys = {
        name[-1]: each["Properties"]
        for name, each in of_type(made, "AWS::CloudFront::PublicKey").items()
    }
    assert set(keys) == set(places)
    for place, each in keys.items():
        config = each["PublicKeyConfig"]
        loaded: Any = load_pem_public_key(config["EncodedKey"].encode())
        assert loaded.public_numbers() == pair(place).public_key().public_numbers()
    group = made["MediaKeyGroup"]["Properties"]["KeyGroupConfig"]["Items"]
    assert group == [f"<MediaKey{place}>" for place in places]
    references = {each["PublicKeyConfig"]["CallerReference"] for each in keys.values()}
    assert len(references) == len(places)
    told = read_distribution(made["MediaDeliveryParameter"]["Properties"]["Value"])
    assert told.address == "https://<MediaDistribution.DomainName>"
    assert told.public_keys == {
        f"<MediaKey{place}>": lines(pair(place)).replace(",", "") for place in places
    }


def test_a_domain_of_ones_own() -> None:
    config = properties("MediaDistribution", **ON, **OWN_DOMAIN)["DistributionConfig"]
    assert config["Aliases"] == ["files.example.com"]
    assert config["ViewerCertificate"]["AcmCertificateArn"] == "arn:one"
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    told = properties("MediaDeliveryParameter", **ON, **OWN_DOMAIN)["Value"]
    assert read_distribution(told).address == "https://files.example.com"
    without = properties("MediaDistribution", **ON)["DistributionConfig"]
    assert without["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    assert "Aliases" not in without


def test_names_that_hold_for_the_whole_account_carry_stage_and_region() -> None:
    names = [
        config["Name"]
        for each in stack(**BOTH).values()
        if each["Type"].startswith("AWS::CloudFront::")
        for config in each["Properties"].values()
        if isinstance(config, dict) and "Name" in config
    ]
    assert len(names) >= 6
    assert all(name.startswith("vsl-production-us-east-1-media") for name in names)
    assert all(len(name) <= 64 for name in names)


@pytest.mark.parametrize("given", [{}, ON])
def test_functions_are_told_which_it_is(given: dict[str, str]) -> None:
    for each in of_type(stack(**given), FUNCTION).values():
        variables = each["Properties"]["Environment"]["Variables"]
        assert variables["MEDIA_DELIVERY"] == given.get("MediaDelivery", "presigned")
        assert "MIIB" not in json.dumps(variables)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("", True),
        (lines(pair("one")), True),
        (lines(pair("one")).replace(",", ""), False),
        (lines(pair("one")) + ",", False),
        (lines(pair("long", 3072)), False),
        ("-----BEGIN PUBLIC KEY-----", False),
    ],
)
@pytest.mark.parametrize("place", ["A", "B"])
def test_a_key_is_the_lines_of_its_pem(place: str, value: str, taken: bool) -> None:
    pattern = PARAMETERS[f"MediaPublicKey{place}"]["AllowedPattern"]
    assert (re.fullmatch(pattern, value) is not None) == taken


@pytest.mark.parametrize("place", ["A", "B"])
def test_made_up_keys_of_these_tests_are_of_the_same_form(place: str) -> None:
    test_a_key_is_the_lines_of_its_pem(place, PUBLIC_KEYS[place], taken=True)


def holds(assertion: Any, **given: str) -> bool:
    """As CloudFormation evaluates a rule's function."""
    if isinstance(assertion, dict):
        ((name, arguments),) = assertion.items()
        if name == "Ref":
            return given.get(arguments, str(PARAMETERS[arguments].get("Default", "")))  # type: ignore[return-value]
        values = [holds(each, **given) for each in arguments]
        return {
            "Fn::Equals": lambda: values[0] == values[1],
            "Fn::Not": lambda: not values[0],
            "Fn::Or": lambda: any(values),
        }[name]()
    return assertion  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, True),
        (ON, True),
        (BOTH, True),
        ({"MediaDelivery": "cloudfront", "MediaPublicKeyB": PUBLIC_KEYS["B"]}, True),
        ({"MediaDelivery": "cloudfront"}, False),
        ({**ON, "MediaAccess": "public"}, False),
        ({"MediaAccess": "public"}, True),
        ({**ON, **OWN_DOMAIN}, True),
        ({**ON, "MediaDomainName": "files.example.com"}, False),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, str], taken: bool) -> None:
    rules = template()["Rules"]
    checked = [rules["ADistributionNeedsAKey"], rules["AMediaDomainNeedsACertificate"]]
    applying = [rule for rule in checked if holds(rule["RuleCondition"], **given)]
    held = [holds(each["Assert"], **given) for rule in applying for each in rule["Assertions"]]
    assert all(held) == taken


def test_the_local_engine_gets_none_of_it() -> None:
    """It would fail the stack for a type that it does not know."""
    used = {each["Type"] for each in template()["Resources"].values()}
    assert {kind for kind in used if kind.startswith("AWS::CloudFront::")} <= UNKNOWN_TO_THE_ENGINE
