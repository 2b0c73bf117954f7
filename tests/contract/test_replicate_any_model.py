"""The stand-in serves any model by its schema: what it takes, what it gives, what it forgets."""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import httpx
import jsonschema
import pytest
from PIL import Image

from devstack.json_types import JSON_TYPES
from devstack.replicate.faults import Match, NsfwFilter, OutputNull, PredictionSlow
from devstack.replicate.media.kinds import MAKEABLE
from devstack.replicate.media.request import Request
from devstack.replicate.media.scene import Scene
from tests.support import web
from tests.support.provider_fixtures import ProviderModel, owner_and_name, provider_models
from tests.support.stand_in import SCHNELL, StandIn, receiver, stand_in
from tests.support.thinning import thinned
from tests.support.waiting import until

MODELS = {f"{each['owner']}/{each['name']}": each for each in provider_models()}
UNUSABLE_EXAMPLES = {"slate/failed-example", "slate/stale-example"}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def server(shared: StandIn) -> StandIn:
    shared.control.reset()
    for reference in MODELS:
        shared.state.models.withdraw(reference)
    return shared


def offer(server: StandIn, reference: str, **changes: Any) -> dict[str, Any]:
    """Give the stand-in a fixture; the provider's document of it."""
    return server.control.offer_model(*owner_and_name(reference), {**MODELS[reference], **changes})


def with_output(reference: str, output: Mapping[str, Any]) -> dict[str, Any]:
    """A fixture's schema with another output."""
    schema = deepcopy(MODELS[reference]["openapi_schema"])
    schema["components"]["schemas"]["Output"] = output
    return schema


def asked_of(model: ProviderModel) -> dict[str, Any]:
    """An input that the model takes; every file is a picture of one pixel."""
    usable = f"{model['owner']}/{model['name']}" not in UNUSABLE_EXAMPLES
    example = model.get("default_example") if usable else None
    asked = {"prompt": "a lake"} if example is None else example["input"]
    return {name: _local(value) for name, value in asked.items()}


def _local(value: Any) -> Any:
    if isinstance(value, list):
        return [_local(item) for item in value]
    return PIXEL if isinstance(value, str) and value.startswith("https://") else value


def run(server: StandIn, document: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The finished prediction of the model's newest version."""
    version = document["latest_version"]["id"]
    return server.finish(server.create(version, input=dict(asked))["id"])


def refusal(server: StandIn, reference: str, **asked: Any) -> list[dict[str, str]]:
    document = offer(server, reference)
    body = {"version": document["latest_version"]["id"], "input": asked}
    answer = server.post("/predictions", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["title"] == "Input validation failed"
    faults: list[dict[str, str]] = answer.json()["invalid_fields"]
    return faults


def kinds_in(output: Any) -> set[str]:
    return {address.rpartition(".")[2].replace("jpeg", "jpg") for address in files_in(output)}


def files_in(output: Any) -> Iterator[str]:
    """The addresses of files that an output holds, the stand-in's or an example's."""
    if isinstance(output, str) and ("/pbxt/" in output or "/replicate.delivery/" in output):
        yield output
    elif isinstance(output, dict | list):
        for item in output.values() if isinstance(output, dict) else output:
            yield from files_in(item)


def _readable_image(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.load()


def _readable_media(content: bytes) -> None:
    with av.open(io.BytesIO(content), "r") as container:
        assert next(iter(container.decode()), None) is not None


def _readable_zip(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()


def _readable_tar(content: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.getnames()


def _readable_glb(content: bytes) -> None:
    assert content[:4] == b"glTF"
    assert int.from_bytes(content[8:12], "little") == len(content)
    length = int.from_bytes(content[12:16], "little")
    scene = json.loads(content[20 : 20 + length])
    assert scene["asset"]["version"] == "2.0"
    assert scene["buffers"][0]["byteLength"] <= len(content) - 28 - length


def _readable_text(content: bytes) -> None:
    assert content.decode().strip()


def _readable_ply_or_npz(content: bytes) -> None:
    if not content.startswith(b"ply\n"):
        _readable_zip(content)


READABLE: Mapping[str, Callable[[bytes], object]] = {
    "image/png": _readable_image,
    "image/jpeg": _readable_image,
    "image/webp": _readable_image,
    "image/gif": _readable_image,
    "image/svg+xml": lambda content: content.index(b"<svg"),
    "video/mp4": _readable_media,
    "audio/wav": _readable_media,
    "audio/mpeg": _readable_media,
    "audio/flac": _readable_media,
    "audio/ogg": _readable_media,
    "application/zip": _readable_zip,
    "application/x-tar": _readable_tar,
    "application/json": json.loads,
    "application/pdf": lambda content: content.index(b"%%EOF"),
    "model/gltf-binary": _readable_glb,
    "application/octet-stream": _readable_ply_or_npz,
    "application/x-subrip": _readable_text,
    "text/plain": _readable_text,
    "text/markdown": _readable_text,
    "text/csv": _readable_text,
    "text/vtt": _readable_text,
}


@pytest.mark.parametrize("kind", MAKEABLE)
def test_every_kind_of_file_can_be_read_and_is_made_again_alike(kind: str) -> None:
    request = Request("acme/any", {"prompt": "a <lake> & more"}, {}, seed=7)

    first, again = (Scene(request).file(kind, 0) for _ in range(2))

    READABLE[MAKEABLE[kind]](first)
    assert first == again


def _strict(schema: Any) -> Any:
    """The schema as a validator takes it: types that JSON does not have are left out."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    nullable = schema.get("nullable") is True and isinstance(schema.get("type"), str)
    changed = {"type": [schema["type"], "null"]} if nullable else {}
    return {
        name: _strict(value)
        for name, value in {**schema, **changed}.items()
        if name != "type" or not isinstance(value, str) or value in JSON_TYPES | {"null"}
    }


@pytest.mark.parametrize("reference", thinned(MODELS))
def test_every_model_runs_and_gives_what_its_schema_declares(
    server: StandIn, reference: str
) -> None:
    model = MODELS[reference]
    document = offer(server, reference)

    view = run(server, document, asked_of(model))

    assert view["status"] == "succeeded", view["error"]
    assert view["model"] == reference
    assert view["version"] == ("hidden" if model["official"] else model["version"])
    schemas = model["openapi_schema"]["components"]["schemas"]
    declared = {"$ref": "#/components/schemas/Output", "components": {"schemas": _strict(schemas)}}
    if "Output" in schemas:
        jsonschema.validate(view["output"], declared)
    for address in files_in(view["output"]):
        file = web.get(address).raise_for_status()
        READABLE[file.headers["content-type"]](file.content)
    assert kinds_in(view["output"]) >= kinds_in(model.get("default_example", {}).get("output"))


def test_a_model_shows_as_the_provider_shows_one(server: StandIn) -> None:
    put = offer(server, "meadow/reel-two")

    got = server.http.get("/v1/models/meadow/reel-two").json()
    ours = server.http.get("/v1/models/sunfjun/stable-video-diffusion").json()
    version = got["latest_version"]
    path = f"/v1/models/meadow/reel-two/versions/{version['id']}"

    assert got == put
    assert got.keys() == ours.keys()
    assert version.keys() == ours["latest_version"].keys()
    assert version["id"] == MODELS["meadow/reel-two"]["version"]
    assert version["openapi_schema"] == MODELS["meadow/reel-two"]["openapi_schema"]
    assert got["default_example"] == MODELS["meadow/reel-two"]["default_example"]
    assert got["is_official"] is False
    assert server.http.get(path).json() == version
    listed = [each["name"] for each in server.http.get("/v1/models").json()["results"]]
    assert {"reel-two", "flux-schnell"} <= set(listed)


def test_the_provider_s_own_document_is_taken_as_it_is(server: StandIn) -> None:
    document = offer(server, "lumen-lab/aurora-sketch")
    server.control.withdraw_model("lumen-lab", "aurora-sketch")

    again = server.control.offer_model("lumen-lab", "aurora-sketch", document)

    assert again == document
    assert again["is_official"] is True


def test_a_new_version_leaves_the_old_one_callable(server: StandIn) -> None:
    first = offer(server, "meadow/reel-two")["latest_version"]["id"]
    changed = deepcopy(MODELS["meadow/reel-two"]["openapi_schema"])
    changed["components"]["schemas"]["Input"]["properties"]["fps"]["maximum"] = 24

    second = offer(server, "meadow/reel-two", openapi_schema=changed, version=None)
    newest = second["latest_version"]["id"]
    versions = server.http.get("/v1/models/meadow/reel-two/versions").json()["results"]

    assert newest != first
    assert [each["id"] for each in versions] == [newest, first]
    body = {"input": {"prompt": "waves", "fps": 30}}
    assert server.post("/predictions", {"version": first, **body}).status_code == 201
    assert server.post("/predictions", {"version": newest, **body}).status_code == 422


def test_what_the_stand_in_has_no_schema_for_is_not_there(server: StandIn) -> None:
    document = offer(server, "opal/reader")
    pinned = f"opal/melody:{MODELS['opal/melody']['version']}"
    server.control.withdraw_model("opal", "reader")

    official = server.post("/models/opal/reader/predictions", {"input": {"text": "hello"}})
    versioned = server.post("/predictions", {"version": pinned, "input": {}})

    assert official.status_code == 404
    assert official.json()["detail"] == "The requested resource could not be found."
    assert versioned.status_code == 422
    assert versioned.json()["title"] == "Invalid version or not permitted"
    assert server.http.get("/v1/models/opal/reader").status_code == 404
    assert document["latest_version"]["id"] not in str(server.http.get("/v1/models").json())
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        server.control.withdraw_model("opal", "reader")


def test_a_model_of_the_catalogue_can_be_hidden_and_comes_back(server: StandIn) -> None:
    before = server.http.get(f"/v1/models/{SCHNELL}").json()
    schema = MODELS["prairie/captioner"]["openapi_schema"]
    server.control.offer_model(
        *owner_and_name(SCHNELL), {"openapi_schema": schema, "official": True}
    )

    hidden = server.http.get(f"/v1/models/{SCHNELL}").json()
    server.control.withdraw_model(*owner_and_name(SCHNELL))

    assert hidden["latest_version"]["openapi_schema"] == schema
    assert server.http.get(f"/v1/models/{SCHNELL}").json() == before


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"official": True}, "openapi_schema"),
        ({"openapi_schema": "a file"}, "openapi_schema"),
        ({"openapi_schema": {}, "version": "v1"}, "version"),
        ([], ""),
    ],
)
def test_a_bad_offer_is_told_what_is_wrong(server: StandIn, body: Any, named: str) -> None:
    answer = server.http.put("/_control/models/some/model", json=body)

    assert answer.status_code == 422
    assert named in str(answer.json()["errors"][0]["loc"])


def test_a_name_that_no_reference_could_hold_is_refused(server: StandIn) -> None:
    answer = server.http.put("/_control/models/some/mo:del", json={"openapi_schema": {}})

    assert answer.status_code == 422
    assert "owner and name" in answer.json()["detail"]


REFUSALS: dict[str, tuple[str, dict[str, Any], list[tuple[str, str, str]]]] = {
    "text": (
        "juniper/rules",
        {"prompt": "ab", "hex": "red", "when": "tomorrow"},
        [
            ("string_gte", "input.prompt", "String length must be greater than or equal to 3"),
            ("pattern", "input.hex", "Does not match pattern '^#[0-9a-f]{6}$'"),
            ("format", "input.when", "Does not match format 'date'"),
        ],
    ),
    "numbers": (
        "juniper/rules",
        {"prompt": "a" * 401, "scale": 0, "width": 100, "least": 0, "most": 10.5},
        [
            ("string_lte", "input.prompt", "String length must be less than or equal to 400"),
            ("number_gt", "input.scale", "Must be greater than 0"),
            ("multiple_of", "input.width", "Must be a multiple of 8"),
            ("number_gte", "input.least", "Must be greater than or equal to 1"),
            ("number_lte", "input.most", "Must be less than or equal to 10"),
        ],
    ),
    "large limits keep their digits": (
        "harbor/whole-floats",
        {"prompt": "x", "seed": -1, "offset": 2147483648, "steps": 2.5},
        [
            ("number_gte", "input.seed", "Must be greater than or equal to 0"),
            ("invalid_type", "input.steps", "Invalid type. Expected: integer, given: number"),
            ("number_lte", "input.offset", "Must be less than or equal to 2147483647"),
        ],
    ),
    "lists": (
        "pixelforge/required-stack",
        {"exposures": [PIXEL], "tags": ["indoor", "cave"]},
        [
            ("array_min_items", "input.exposures", "Array must have at least 2 items"),
            (
                "enum",
                "input.tags.1",
                'tags.1 must be one of the following: "indoor", "outdoor", "night", "portrait"',
            ),
        ],
    ),
    "addresses in lists": (
        "pixelforge/multi-edit",
        {"prompt": "x", "input_images": [PIXEL, "cat.png"] + [PIXEL] * 7},
        [
            ("array_max_items", "input.input_images", "Array must have at most 8 items"),
            ("format", "input.input_images.1", "Does not match format 'uri'"),
        ],
    ),
    "objects in lists": (
        "lyric-works/conversation",
        {"messages": [{"role": "user"}, "hello"]},
        [
            ("required", "input.messages.0", "content is required"),
            ("invalid_type", "input.messages.1", "Invalid type. Expected: object, given: string"),
        ],
    ),
    "unions and constants": (
        "granite/either-number",
        {"image": PIXEL, "strength": "strong"},
        [("number_any_of", "input.strength", "Must validate at least one schema (anyOf)")],
    ),
    "choices by reference": (
        "iris/single-choice",
        {"prompt": "x", "fps": 25, "version": "v1", "style": "rich"},
        [
            ("enum", "input.fps", "fps must be one of the following: 24"),
            ("const", "input.version", 'version does not match: "v2"'),
            ("enum", "input.style", 'style must be one of the following: "plain"'),
        ],
    ),
    "null where it may not be": (
        "granite/optional-unions",
        {"prompt": None, "seed": None, "palette": "blue", "guides": [PIXEL, None]},
        [
            ("invalid_type", "input.prompt", "Invalid type. Expected: string, given: null"),
            (
                "enum",
                "input.palette",
                'palette must be one of the following: "warm", "cold", "grey"',
            ),
            ("invalid_type", "input.guides.1", "Invalid type. Expected: string, given: null"),
        ],
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_inputs_are_refused_in_the_provider_s_words(server: StandIn, name: str) -> None:
    reference, asked, expected = REFUSALS[name]

    faults = refusal(server, reference, **asked)

    told = [(fault["type"], fault["field"], fault["description"]) for fault in faults]
    assert told == expected


def test_null_and_unknown_inputs_are_taken_where_the_schema_allows(server: StandIn) -> None:
    document = offer(server, "granite/nullable-portrait")
    asked = {"prompt": "x", "steps": None, "size": None, "references": None, "unknown": [1]}

    assert run(server, document, asked)["status"] == "succeeded"


def test_a_list_grows_while_it_runs(server: StandIn) -> None:
    document = offer(server, "foxglove/variation-stream")
    server.control.faults(PredictionSlow(running=1))
    asked = {"image": PIXEL, "variations": 4}
    with receiver() as inbox:
        created = server.create(
            document["latest_version"]["id"],
            input=asked,
            webhook=inbox.url,
            webhook_events_filter=["output", "completed"],
        )
        partly = until(lambda: server.get(created["id"]), lambda view: bool(view["output"]))
        whole = server.finish(created["id"])
        bodies = until(
            lambda: [json.loads(each.body) for each in inbox.received],
            lambda seen: any(body["status"] == "succeeded" for body in seen),
        )

    assert partly["status"] == "processing"
    assert whole["output"][: len(partly["output"])] == partly["output"]
    assert len(whole["output"]) == 3
    lengths = [len(body["output"]) for body in bodies]
    assert lengths[0] < lengths[-1] == 3
    assert all(shorter <= longer for shorter, longer in pairwise(lengths))


def test_words_come_one_after_the_other(server: StandIn) -> None:
    view = run(server, offer(server, "prairie/chat-small"), {"prompt": "Name three birds."})

    assert len(view["output"]) > 5
    assert "Name three birds." in "".join(view["output"])


def test_the_format_asked_for_decides_within_its_family(server: StandIn) -> None:
    document = offer(server, "northwind/frame-filler")
    asked = {"frame1": PIXEL, "frame2": PIXEL}

    film = run(server, document, asked)["output"]
    animation = run(server, document, {**asked, "output_format": "gif"})["output"]

    assert web.get(film).headers["content-type"] == "video/mp4"
    assert web.get(animation).headers["content-type"] == "image/gif"


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac"])
def test_sounds_in_every_format(server: StandIn, kind: str) -> None:
    asked = {"text": "Mind the gap.", "audio_format": kind}

    output = run(server, offer(server, "opal/reader"), asked)["output"]

    _readable_media(web.get(output).content)
    assert output.endswith(f".{kind}")


def test_without_an_example_the_words_of_the_schema_decide(server: StandIn) -> None:
    document = offer(server, "quarry/mesh-kit", default_example=None)

    output = run(server, document, {"images": [PIXEL]})["output"]

    kinds = {
        name: value.rpartition(".")[2] for name, value in output.items() if isinstance(value, str)
    }
    assert kinds == {"model_file": "glb", "color_video": "mp4", "gaussian_ply": "ply"}


def test_pictures_have_the_size_and_the_number_asked_for(server: StandIn) -> None:
    document = offer(server, "nimbus-art/tinted-diffusion")

    output = run(server, document, {"width": 320, "height": 200, "num_outputs": 3})["output"]

    sizes = [Image.open(io.BytesIO(web.get(url).content)).size for url in output]
    assert sizes == [(320, 200)] * 3


def test_the_same_input_and_seed_give_the_same_output(server: StandIn) -> None:
    document = offer(server, "quarry/mesh-kit")
    asked = {"images": [PIXEL], "seed": 3}

    first, second = (run(server, document, asked)["output"] for _ in range(2))

    for output in ("model_file", "color_video", "gaussian_ply"):
        assert web.get(first[output]).content == web.get(second[output]).content


def test_an_input_file_of_a_list_has_to_be_there(server: StandIn) -> None:
    document = offer(server, "pixelforge/multi-edit")
    asked = {"prompt": "x", "input_images": [PIXEL, "http://127.0.0.1:9/gone.png"]}

    view = run(server, document, asked)

    assert view["status"] == "failed"
    assert "gone.png" in view["error"]


def test_a_deployment_runs_its_model(server: StandIn) -> None:
    offer(server, "meadow/reel-two")
    server.control.deploy("acme", "films", "meadow/reel-two")

    shown = server.http.get("/v1/deployments/acme/films").json()
    body = {"input": {"prompt": "waves", "num_frames": 17}}
    created = server.post("/deployments/acme/films/predictions", body)
    view = server.finish(created.json()["id"])

    version = MODELS["meadow/reel-two"]["version"]
    assert created.status_code == 201
    assert (shown["owner"], shown["name"]) == ("acme", "films")
    assert shown["current_release"]["number"] == 1
    assert shown["current_release"]["model"] == "meadow/reel-two"
    assert shown["current_release"]["version"] == version
    assert (view["status"], view["deployment"]) == ("succeeded", "acme/films")
    assert (view["model"], view["version"]) == ("meadow/reel-two", version)
    assert server.http.get("/v1/deployments").json()["results"] == [shown]
    assert server.post("/deployments/acme/films/predictions", {"input": {}}).status_code == 422
    assert server.control.health().requests["create"] == 2


def test_a_deployment_is_released_anew_and_taken_away(server: StandIn) -> None:
    offer(server, "opal/melody")
    server.control.deploy("acme", "tunes", "opal/melody", MODELS["opal/melody"]["version"])
    server.control.deploy("acme", "tunes", SCHNELL)

    shown = server.http.get("/v1/deployments/acme/tunes").json()["current_release"]
    server.control.undeploy("acme", "tunes")

    assert (shown["number"], shown["model"]) == (2, SCHNELL)
    gone = server.post("/deployments/acme/tunes/predictions", {"input": {"prompt": "x"}})
    assert gone.status_code == 404
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        server.control.undeploy("acme", "tunes")


def test_a_deployment_of_an_unknown_model_is_refused(server: StandIn) -> None:
    answer = server.http.put("/_control/deployments/acme/x", json={"model": "no/such"})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("model:")


def test_faults_reach_given_models(server: StandIn) -> None:
    document = offer(server, "lumen-lab/aurora-sketch")
    here = Match(model="lumen-lab/aurora-sketch")
    asked = {"prompt": "x", "num_outputs": 3}

    server.control.faults(NsfwFilter(match=here, flagged=1))
    some = run(server, document, asked)
    server.control.faults(NsfwFilter(match=here))
    none = run(server, document, asked)
    server.control.faults(OutputNull(match=here))
    nothing = run(server, document, asked)

    assert len(some["output"]) == 2
    assert (none["status"], none["output"]) == ("failed", None)
    assert (nothing["status"], nothing["output"]) == ("succeeded", None)


def test_given_models_survive_a_reset_and_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "provider.json"
    with stand_in(models=file) as first:
        documents = [offer(first, "opal/reader"), offer(first, "meadow/reel-two")]
        first.control.deploy("acme", "films", "meadow/reel-two")
        first.control.reset()
        release = first.http.get("/v1/deployments/acme/films").json()

    with stand_in(models=file) as second:
        kept = [
            second.http.get(f"/v1/models/{each['owner']}/{each['name']}").json()
            for each in documents
        ]
        assert kept == documents
        assert second.http.get("/v1/deployments/acme/films").json() == release
        second.control.withdraw_model("opal", "reader")

    with stand_in(models=file) as third:
        assert third.http.get("/v1/models/opal/reader").status_code == 404
        assert third.http.get("/v1/models/meadow/reel-two").status_code == 200
