"""What the front of a distribution goes by, taken from the template's own resources."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from devstack.intrinsics import Resolver

PUBLIC_KEY = "AWS::CloudFront::PublicKey"


@dataclass(frozen=True, slots=True)
class Distribution:
    """`keys` are public keys in PEM by id, `headers` those that every answer is given; `origins` are those
    whose pages may read answers, `exposed` what such pages see of them."""

    bucket: str
    keys: Mapping[str, str]
    methods: tuple[str, ...]
    query: tuple[str, ...]
    headers: Mapping[str, str]
    origins: tuple[str, ...]
    exposed: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Distribution":
        return cls(
            bucket=document["bucket"],
            keys=document["keys"],
            methods=tuple(document["methods"]),
            query=tuple(document["query"]),
            headers=document["headers"],
            origins=tuple(document["origins"]),
            exposed=tuple(document["exposed"]),
        )


def distributes(parameters: Mapping[str, str]) -> bool:
    """Whether a stack with these parameters has a distribution."""
    return parameters.get("MediaDelivery") == "cloudfront"


def describe(
    template: Mapping[str, Any], values: Mapping[str, Any], bucket: str, host: str
) -> tuple[dict[str, Any], str]:
    """The document of a Distribution, and what the stack writes to `media-delivery`.

    `template` is the one as written, `values` are its parameters with the pseudo parameters. An id of a
    key is made of the key, as long as CloudFront's are.
    """
    resources = template["Resources"]
    ids: dict[str, str] = {}

    def attribute(name: str, what: str) -> str:
        return host if what == "DomainName" else f"{name}.{what}"

    for name, resource in resources.items():
        if resource["Type"] == PUBLIC_KEY:
            text = str(values[f"MediaPublicKey{name[-1]}"])
            ids[name] = "K" + sha256(text.encode()).hexdigest()[:13].upper()
    resolver = Resolver(
        template, {**values, **{name: f"local-{name}" for name in resources}, **ids}, attribute
    )

    def properties(name: str) -> dict[str, Any]:
        found: dict[str, Any] = resolver.resolve(resources[name]["Properties"])
        return found

    group = properties("MediaKeyGroup")["KeyGroupConfig"]["Items"]
    behaviour = properties("MediaDistribution")["DistributionConfig"]["DefaultCacheBehavior"]
    cache = properties("MediaCachePolicy")["CachePolicyConfig"]
    answers = properties("MediaResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    handed_on = cache["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"]
    cors = answers.get("CorsConfig", {})
    document = {
        "bucket": bucket,
        "keys": {
            key_id: properties(name)["PublicKeyConfig"]["EncodedKey"]
            for name, key_id in ids.items()
            if key_id in group
        },
        "methods": behaviour["AllowedMethods"],
        "query": handed_on["QueryStrings"],
        "headers": _headers(answers["SecurityHeadersConfig"]),
        "origins": cors.get("AccessControlAllowOrigins", {}).get("Items", []),
        "exposed": cors.get("AccessControlExposeHeaders", {}).get("Items", []),
    }
    return document, str(properties("MediaDeliveryParameter")["Value"])


def _headers(config: Mapping[str, Any]) -> dict[str, str]:
    """https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicySecurityHeadersConfig.html"""
    transport = config["StrictTransportSecurity"]["AccessControlMaxAgeSec"]
    assert config["ContentTypeOptions"]  # noqa: S101 - of a template that a test reads
    return {
        "x-content-type-options": "nosniff",
        "content-security-policy": config["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "strict-transport-security": f"max-age={transport}",
    }
