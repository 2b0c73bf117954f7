"""The stand-in's answers have the shapes Replicate's have: keys, types, statuses, headers, wording."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from devstack.replicate.faults import ListWebhooks, Match, PredictionFails, PredictionSlow
from tests.support import web
from tests.support.stand_in import MUSICGEN, SCHNELL, SDXL, SVD, StandIn, receiver, stand_in

SHAPES = json.loads((Path(__file__).parent / "fixtures/replicate_answers.json").read_text())
SMALL = {"prompt": "a harbour in the rain", "width": 512, "height": 512, "seed": 11}
HEX = SDXL.partition(":")[2]


def shape(value: Any) -> Any:
    """The types in a JSON value; of a list those of its first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


def test_create(server: StandIn) -> None:
    answer = server.post("/predictions", {"version": HEX, "input": SMALL})

    assert answer.status_code == 201
    assert shape(answer.json()) == shape(SHAPES["create"])
    assert re.fullmatch(r"[a-z0-9]{26}", answer.json()["id"])
    assert answer.json()["version"] == HEX
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["ratelimit-remaining"] == "599"
    assert answer.headers["ratelimit-reset"] == "1"
    assert answer.headers["location"] == answer.json()["urls"]["get"]
    assert "preference-applied" not in answer.headers


def test_create_waiting_for_the_output(server: StandIn) -> None:
    body = {"version": HEX, "input": SMALL}

    answer = server.post("/predictions", body, Prefer="wait=10")

    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=10"
    assert shape(answer.json()) == shape(SHAPES["create_waiting"])


def test_create_waiting_in_vain(server: StandIn) -> None:
    server.control.faults(PredictionSlow(running=30))

    answer = server.post("/predictions", {"version": HEX, "input": SMALL}, Prefer="wait=1")

    assert answer.status_code == 202
    assert answer.json()["status"] == "starting"
    assert "output" not in answer.json()


def test_create_waiting_can_bring_data_urls() -> None:
    with stand_in(sync_data_urls=True) as server:
        body = {"version": HEX, "input": SMALL}
        answer = server.post("/predictions", body, Prefer="wait").json()

    assert answer["output"][0].startswith("data:image/png;base64,iVBOR")


def test_succeeded(server: StandIn) -> None:
    view = server.run(SDXL, **SMALL)

    assert shape(view) == shape(SHAPES["succeeded"])
    assert view["metrics"]["total_time"] >= view["metrics"]["predict_time"] >= 0.05


def test_canceled_before_it_started(server: StandIn) -> None:
    server.control.faults(PredictionSlow(starting=30))
    created = server.create(SDXL, input=SMALL)

    answer = server.http.post(f"/v1/predictions/{created['id']}/cancel")

    assert answer.status_code == 200
    assert shape(answer.json()) == shape(SHAPES["canceled"])
    assert answer.headers["ratelimit-remaining"] == "2999"


def test_cancel_leaves_a_finished_prediction_alone(server: StandIn) -> None:
    view = server.run(SCHNELL, prompt="a lake")

    answer = server.http.post(f"/v1/predictions/{view['id']}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert server.get(view["id"]) == view


def test_failed(server: StandIn) -> None:
    server.control.faults(PredictionFails(error="E9828: unexpected"))

    view = server.run(SDXL, **SMALL)

    assert (view["status"], view["error"], view["output"]) == ("failed", "E9828: unexpected", None)
    assert shape(view["metrics"]) == {"predict_time": "float", "total_time": "float"}


def test_webhook_body(server: StandIn) -> None:
    with receiver() as inbox:
        server.create(
            SCHNELL,
            input={"prompt": "a harbour in the rain"},
            webhook=inbox.url,
            webhook_events_filter=["start", "completed"],
        )
        completed = inbox.wait(2)[1]

    assert shape(json.loads(completed.body)) == shape(SHAPES["webhook"])
    assert completed.headers["content-type"] == "application/json"


def test_list_and_its_filter_by_time(server: StandIn) -> None:
    first, second, third = (server.run(SDXL, **SMALL) for _ in range(3))

    page = server.http.get("/v1/predictions").json()
    since = server.http.get(
        "/v1/predictions", params={"created_after": second["created_at"]}
    ).json()
    before = {"created_before": second["created_at"]}
    until = server.http.get("/v1/predictions", params=before).json()

    assert (page["next"], page["previous"]) == (None, None)
    assert [item["id"] for item in page["results"]] == [third["id"], second["id"], first["id"]]
    assert [item["id"] for item in since["results"]] == [third["id"], second["id"]]
    assert [item["id"] for item in until["results"]] == [first["id"]]
    listed = {name: value for name, value in SHAPES["succeeded"].items() if name != "logs"}
    assert shape(page["results"][0]) == shape(listed)


def test_a_list_tells_webhooks_only_when_told_to(server: StandIn) -> None:
    """The documented entry has none, and that is what a client has to live with."""
    made = [server.create(webhook=f"http://127.0.0.1:1/{n}", input={"prompt": n}) for n in "ab"]
    listed = {entry["id"]: entry for entry in server.http.get("/v1/predictions").json()["results"]}
    for each in made:
        assert "webhook" not in listed[each["id"]]
        assert "webhook_events_filter" not in listed[each["id"]]
        assert server.get(each["id"])["webhook"] == each["webhook"]

    server.control.faults(ListWebhooks(match=Match(prompt="a")))

    listed = {entry["id"]: entry for entry in server.http.get("/v1/predictions").json()["results"]}
    assert listed[made[0]["id"]]["webhook"] == made[0]["webhook"]
    assert "webhook" not in listed[made[1]["id"]]


def test_times_are_utc_and_change_their_precision(server: StandIn) -> None:
    created = server.create()
    view = server.finish(created["id"])

    assert len(created["created_at"]) > len(view["created_at"]) == len("2026-02-03T09:15:27.403Z")
    times = [view["created_at"], view["started_at"], view["completed_at"]]
    assert all(time.endswith("Z") for time in times)
    assert sorted(times, key=datetime.fromisoformat) == times


def test_files(server: StandIn) -> None:
    upload = {"content": ("notes.txt", b"hello", "text/plain")}
    created = server.http.post("/v1/files", files=upload)
    page = server.http.get("/v1/files").json()

    assert created.status_code == 201
    assert shape(created.json()) == shape(SHAPES["file"])
    for key in ("size", "etag", "checksums", "metadata", "name"):
        assert created.json()[key] == SHAPES["file"][key]
    assert page == {"next": None, "previous": None, "results": [created.json()]}
    assert server.http.delete(f"/v1/files/{created.json()['id']}").status_code == 204
    assert server.http.get(f"/v1/files/{created.json()['id']}").status_code == 404


def test_a_signed_address_of_an_upload_needs_no_token(server: StandIn) -> None:
    created = server.http.post("/v1/files", files={"content": ("a.txt", b"hello")}).json()
    uploads = server.state.uploads
    upload = uploads.get(created["id"])
    assert upload is not None
    fresh, expired = (uploads.download_url(upload, "stand-in", s) for s in (60, -1))

    assert web.get(fresh).content == b"hello"
    for url in (expired, fresh.replace("owner=stand-in", "owner=another")):
        answer = web.get(url)
        assert (answer.status_code, answer.json()["detail"]) == (404, "File not found")


def test_an_upload_of_any_bytes_arrives_unchanged(server: StandIn) -> None:
    content = bytes(range(256)) * 64 + b"\r\n--x\r\n\n\r"

    created = server.http.post("/v1/files", files={"content": ("a.bin", content)}).json()

    assert created["size"] == len(content)


def test_the_model_page(server: StandIn) -> None:
    official = server.http.get(f"/v1/models/{SCHNELL}").json()
    pinned = server.http.get("/v1/models/stability-ai/sdxl").json()

    assert (official["is_official"], pinned["is_official"]) == (True, False)
    schemas = official["latest_version"]["openapi_schema"]["components"]["schemas"]
    assert schemas["Input"]["required"] == ["prompt"]
    assert schemas["Input"]["properties"]["aspect_ratio"]["allOf"] == [
        {"$ref": "#/components/schemas/aspect_ratio"}
    ]
    assert len(schemas["aspect_ratio"]["enum"]) == 11
    assert schemas["Output"] == {
        "type": "array",
        "items": {"type": "string", "format": "uri"},
        "title": "Output",
    }


PROBLEMS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "missing and too large": (
        f"/models/{SCHNELL}/predictions",
        {"input": {"num_inference_steps": 50, "guidance_scale": 7.5}},
        {
            "title": "Input validation failed",
            "detail": (
                "- input: prompt is required\n"
                "- input.num_inference_steps: Must be less than or equal to 4\n"
            ),
            "status": 422,
            "invalid_fields": [
                {"type": "required", "field": "input", "description": "prompt is required"},
                {
                    "type": "number_lte",
                    "field": "input.num_inference_steps",
                    "description": "Must be less than or equal to 4",
                },
            ],
        },
    ),
    "not in the enumeration": (
        f"/models/{SCHNELL}/predictions",
        {"input": {"prompt": "x", "output_format": "gif"}},
        {
            "title": "Input validation failed",
            "detail": (
                "- input.output_format: output_format must be one of the following: "
                '"webp", "jpg", "png"\n'
            ),
            "status": 422,
            "invalid_fields": [
                {
                    "type": "enum",
                    "field": "input.output_format",
                    "description": 'output_format must be one of the following: "webp", "jpg", "png"',
                }
            ],
        },
    ),
    "null and a wrong type": (
        f"/models/{SCHNELL}/predictions",
        {"input": {"prompt": 5, "seed": None}},
        {
            "title": "Input validation failed",
            "detail": (
                "- input.prompt: Invalid type. Expected: string, given: integer\n"
                "- input.seed: Invalid type. Expected: integer, given: null\n"
            ),
            "status": 422,
            "invalid_fields": [
                {
                    "type": "invalid_type",
                    "field": "input.prompt",
                    "description": "Invalid type. Expected: string, given: integer",
                },
                {
                    "type": "invalid_type",
                    "field": "input.seed",
                    "description": "Invalid type. Expected: integer, given: null",
                },
            ],
        },
    ),
    "not an address": (
        "/predictions",
        {"version": SVD, "input": {"input_image": "/tmp/picture.png"}},
        {
            "title": "Input validation failed",
            "detail": "- input.input_image: Does not match format 'uri'\n",
            "status": 422,
            "invalid_fields": [
                {
                    "type": "format",
                    "field": "input.input_image",
                    "description": "Does not match format 'uri'",
                }
            ],
        },
    ),
    "a model beside the input": (
        "/predictions",
        {"model": SCHNELL, "input": {"prompt": "x"}},
        {
            "title": "Input validation failed",
            "detail": "- version is required\n- Additional property model is not allowed\n",
            "status": 422,
            "invalid_fields": [
                {"type": "required", "field": "", "description": "version is required"},
                {
                    "type": "additional_property_not_allowed",
                    "field": "",
                    "description": "Additional property model is not allowed",
                },
            ],
        },
    ),
    "a community model without its version": (
        "/predictions",
        {"version": "stability-ai/sdxl", "input": {"prompt": "x"}},
        {
            "title": "Invalid version or not permitted",
            "detail": (
                "The specified version does not exist "
                "(or perhaps you don't have permission to use it?)"
            ),
            "status": 422,
        },
    ),
    "a community model by its name": (
        "/models/stability-ai/sdxl/predictions",
        {"input": {"prompt": "x"}},
        {"detail": "The requested resource could not be found.", "status": 404},
    ),
}


@pytest.mark.parametrize(("path", "body", "problem"), PROBLEMS.values(), ids=PROBLEMS)
def test_problem(server: StandIn, path: str, body: Any, problem: dict[str, Any]) -> None:
    answer = server.post(path, body)

    assert answer.json() == problem
    assert answer.status_code == problem["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert server.control.predictions() == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"num_outputs": 4, "num_inference_steps": 1, "output_quality": 0}, 201),
        ({"num_outputs": 1, "num_inference_steps": 4, "output_quality": 100}, 201),
        ({"num_outputs": 1.0}, 201),
        ({"num_outputs": 0}, 422),
        ({"num_outputs": 5}, 422),
        ({"num_outputs": 1.5}, 422),
        ({"num_outputs": True}, 422),
        ({"output_quality": 101}, 422),
    ],
)
def test_the_bounds_of_numbers(server: StandIn, asked: dict[str, Any], status: int) -> None:
    server.control.faults(PredictionFails())
    body = {"version": SCHNELL, "input": {"prompt": "x", **asked}}

    assert server.post("/predictions", body).status_code == status


def test_a_whole_number_with_a_point(server: StandIn) -> None:
    view = server.run(SDXL, prompt="x", width=64.0, height=64.0)

    assert (view["status"], len(view["output"])) == ("succeeded", 1)


@pytest.mark.parametrize("version", ["latest", "0" * 64, f"meta/musicgen:{HEX}", "a/b", ""])
def test_no_such_version(server: StandIn, version: str) -> None:
    answer = server.post("/predictions", {"version": version, "input": {"prompt": "x"}})

    assert answer.status_code == 422
    assert answer.json()["title"] == "Invalid version or not permitted"


@pytest.mark.parametrize("version", [SCHNELL, SDXL, HEX, MUSICGEN])
def test_every_way_to_name_a_version(server: StandIn, version: str) -> None:
    body = {"version": version, "input": {"prompt": "x", "unknown_key": 1}}
    created = server.post("/predictions", body).json()

    assert created["status"] == "starting"
    assert created["version"] == ("hidden" if version == SCHNELL else version[-64:])
    assert created["input"] == {"prompt": "x", "unknown_key": 1}


def test_a_body_that_is_not_json(server: StandIn) -> None:
    answer = server.http.post("/v1/predictions", content=b"")

    assert answer.json() == {
        "detail": "Failed to parse request body as JSON: EOF",
        "status": 400,
    }


@pytest.mark.parametrize("authorization", ["", "Bearer r8_wrong", "Basic {token}", "{token}"])
def test_without_a_token(server: StandIn, authorization: str) -> None:
    token = server.http.headers["authorization"].removeprefix("Bearer ")
    header = {"authorization": authorization.format(token=token)}

    answer = web.get(f"{server.url}/v1/account", headers=header)

    assert answer.status_code == 401
    assert answer.json() == {
        "title": "Unauthenticated",
        "detail": "You did not pass a valid authentication token",
        "status": 401,
    }


def test_the_older_scheme_of_the_token(server: StandIn) -> None:
    token = server.http.headers["authorization"].removeprefix("Bearer ")

    answer = web.get(f"{server.url}/v1/account", headers={"authorization": f"Token {token}"})

    assert answer.status_code == 200


def test_unknown_prediction(server: StandIn) -> None:
    answer = server.http.get("/v1/predictions/nosuchprediction")

    assert answer.json() == {"detail": "The requested resource could not be found.", "status": 404}


@pytest.mark.parametrize(
    ("webhook", "description"),
    [
        ("not an address", "Does not match format 'uri'"),
        ("https://[::1", "Does not match format 'uri'"),
        ("https://example.com:port/hook", "Does not match format 'uri'"),
        ("http://example.com/hook", "Must be an HTTPS URL"),
        ("ftp://127.0.0.1/hook", "Must be an HTTPS URL"),
    ],
)
def test_webhook_addresses_it_refuses(server: StandIn, webhook: str, description: str) -> None:
    body = {"version": SCHNELL, "input": {"prompt": "x"}, "webhook": webhook}

    answer = server.post("/predictions", body)

    assert answer.json()["detail"] == f"- webhook: {description}\n"
