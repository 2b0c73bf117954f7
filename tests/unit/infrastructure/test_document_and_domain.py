"""What the API document says of values is what the domain takes and gives."""

import json
import re
from enum import StrEnum
from typing import Any, get_args

import pytest

from devstack.publish import PUBLISHED
from vsl.adapters.http.callback_sender import KEPT_BYTES
from vsl.domain.api import job_list, request
from vsl.domain.api.operations import MOST_HOURS
from vsl.domain.api.prefer import LONGEST_WAIT
from vsl.domain.api.query import KNOWN_PARAMETERS
from vsl.domain.api.request import is_user_id
from vsl.domain.callbacks import callback, callback_url
from vsl.domain.callbacks.callback import CallbackOutcome
from vsl.domain.catalogue import uploads
from vsl.domain.catalogue.models import PriceUnit
from vsl.domain.jobs.idempotency import MAX_IDEMPOTENCY_KEY
from vsl.domain.jobs.job import JobStatus, MediaType

DOCUMENT = json.loads(PUBLISHED.read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def properties(schema: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[schema]["properties"]
    return found


def parameter(path: str, name: str) -> dict[str, Any]:
    (found,) = [
        each["schema"]
        for operation in DOCUMENT["paths"][path].values()
        for each in operation.get("parameters", ())
        if each["name"] == name
    ]
    return dict(found)


def user_patterns() -> set[str]:
    found = {properties(each)["userId"]["pattern"] for each in ("GenerateRequest", "UploadRequest")}
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            for each in operation.get("parameters", ()):
                if each["name"] == "userId":
                    found.add(each["schema"]["pattern"])
    return found


@pytest.mark.parametrize("enumeration", [JobStatus, MediaType, CallbackOutcome])
def test_a_field_of_a_kind_names_all_its_values(enumeration: type[StrEnum]) -> None:
    fields = {JobStatus: "status", MediaType: "mediaType", CallbackOutcome: "outcome"}
    name = fields[enumeration]
    found = [
        schema["properties"][name]["enum"]
        for known, schema in SCHEMAS.items()
        # A prediction's status is the provider's word, and a key is no job.
        if "enum" in schema.get("properties", {}).get(name, ())
        and known not in {"Prediction", "Key", "CreatedKey"}
    ]
    assert found
    assert all(set(values) == set(enumeration) for values in found)


@pytest.mark.parametrize(
    "user_id",
    ["u", "auth0|5f7c", "a@b.c", "us-east-1:0", "A" * 128, "A" * 129, "", ".a", "a b", "a/b", "ä"],
)
def test_the_pattern_of_a_user_id_is_the_domains(user_id: str) -> None:
    (pattern,) = user_patterns()
    assert (re.search(pattern, user_id) is not None) == is_user_id(user_id)


def test_a_request_has_the_fields_the_domain_reads() -> None:
    assert set(properties("GenerateRequest")) == set(request.KEYS)
    assert properties("GenerateRequest")["modelId"]["maxLength"] == request.MAX_MODEL_ID
    assert properties("GenerateRequest")["callbackUrl"]["maxLength"] == callback_url.MAX_CHARACTERS
    key = parameter("/generate-media", "Idempotency-Key")
    assert key["maxLength"] == MAX_IDEMPOTENCY_KEY


def test_an_upload_is_of_a_kind_the_domain_knows() -> None:
    fields = properties("UploadRequest")
    assert set(fields) == set(uploads._KNOWN)
    assert fields["contentType"]["enum"] == list(uploads.CONTENT_TYPES)


@pytest.mark.parametrize(
    "name", ["a.png", "Lied 🦊", "", "a" * 255, "a" * 256, "a/b", "a\\b", "a\0", "a\u2028"]
)
def test_the_pattern_of_a_file_name_is_the_domains(name: str) -> None:
    field = properties("UploadRequest")["fileName"]
    fits = field["minLength"] <= len(name) <= field["maxLength"]
    said = fits and re.search(field["pattern"], name) is not None
    assert said == (uploads._FILE_NAME.fullmatch(name) is not None)


def test_the_ranges_of_numbers_are_the_domains() -> None:
    assert parameter("/jobs", "limit") == {
        "type": "integer",
        "minimum": 1,
        "maximum": job_list.LARGEST_LIMIT,
        "default": job_list.DEFAULT_LIMIT,
    }
    assert parameter("/status/{jobId}", "wait")["maximum"] == LONGEST_WAIT
    assert parameter("/operations", "hours")["maximum"] == MOST_HOURS


def test_callbacks_are_told_as_they_are_made() -> None:
    fields = properties("CallbackAttempt")
    assert fields["attempt"]["description"] == f"From 1 to {callback.ATTEMPTS}."
    assert f"{KEPT_BYTES:,}" in fields["response"]["description"]
    assert fields["deliveryId"]["description"].startswith(f"{callback.THE_END},")


def test_a_route_takes_the_query_that_the_document_names() -> None:
    """Pages for people and the webhook take any."""
    told = {
        f"{verb.upper()} {path}": sorted(
            f"{each['name']}[]" if each.get("style") == "deepObject" else each["name"]
            for each in operation.get("parameters", ())
            if each["in"] == "query"
        )
        for path, item in DOCUMENT["paths"].items()
        for verb, operation in item.items()
    }
    of_the_workflow = {"POST /generate-media", "POST /jobs"}
    free = {"POST /webhook/replicate", "GET /openapi.json"}
    assert {route: sorted(known) for route, known in KNOWN_PARAMETERS.items()} == {
        route: known for route, known in told.items() if route not in of_the_workflow | free
    }
    assert all(told.get(route, []) == [] for route in of_the_workflow)


def test_the_units_of_prices_are_the_catalogues() -> None:
    assert set(properties("Price")["unit"]["enum"]) == set(get_args(PriceUnit))
