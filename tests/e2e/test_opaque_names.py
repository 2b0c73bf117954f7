"""A stage that hides its users in the keys of objects, with what was stored before it did."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from cli.doctor.examine import examine
from cli.doctor.findings import Scope
from cli.doctor.site import local_site
from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack, vsl
from vsl.adapters.aws import clients
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.object_keys import upload_key

pytestmark = pytest.mark.e2e

USER = "ann.smith@example.com"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """In the place of the stack that all others share."""
    state = tmp_path_factory.mktemp("opaque")
    try:
        options = ("--speed", "0.05", "--parameter", "OwnerNames=opaque")
        running = Stack(json.loads(vsl("up", "--detach", "--json", *options, state=state)))
        yield running
        running.close()
    finally:
        vsl("down", state=state)


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (320, 192), "red").save(content, "PNG")
    return content.getvalue()


def objects(stack: Stack) -> set[str]:
    listed = stack.client("s3").list_objects_v2(Bucket=stack.document["bucket"])
    return {entry["Key"] for entry in listed.get("Contents", ())}


def tells(text: str) -> bool:
    return "ann" in text.lower() or "example.com" in text.lower()


def video_of(stack: Stack, handle: str) -> tuple[dict[str, Any], str]:
    """The ended job, and the address by which the provider fetched the picture."""
    parameters = {"image": handle, "num_frames": 14}
    ended = stack.api.run("stability-video", parameters, user_id=USER)
    assert ended["status"] == "succeeded", ended
    (made,) = [p for p in stack.control.predictions() if ended["jobId"] in str(p.webhook)]
    return ended, str(made.input["input_image"])


def test_no_address_tells_whose_file_it_is(stack: Stack) -> None:
    body = {"userId": USER, "contentType": "image/png"}
    form = web.post(f"{stack.api.url}/uploads", json=body).json()
    sent = web.post(form["url"], data=form["fields"], files={"file": ("x", picture())})
    assert sent.status_code == 204, sent.text
    ended, fetched = video_of(stack, form["handle"])
    output = ended["result"]
    addresses = [fetched, output["originalUrl"], output["thumbnailUrl"], output["s3Path"]]
    assert not [address for address in addresses if tells(address)]
    for address in addresses[:3]:
        assert web.get(address).status_code == 200
    assert not [key for key in objects(stack) if tells(key)]


def test_what_was_stored_under_the_users_id_is_found(stack: Stack) -> None:
    s3, bucket = stack.client("s3"), stack.document["bucket"]
    upload_id = new_job_id(stack.now())
    old = upload_key(USER, upload_id)
    s3.put_object(Bucket=bucket, Key=old, Body=picture(), ContentType="image/png")
    ended, fetched = video_of(stack, f"upload:{upload_id}")
    assert tells(fetched), "it is fetched where it lies"

    path = ended["result"]["s3Path"].split("/")
    before = {
        "/".join([kind, "ann.smith%40example.com", *path[2:]]) for kind in ("media", "thumbnails")
    }
    for key in before:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert len([key for key in objects(stack) if ended["jobId"] in key]) >= 4
    url = f"{stack.api.url}/jobs/{ended['jobId']}"
    gone = web.delete(url, params={"userId": USER})
    assert gone.status_code == 204, gone.text
    assert not [key for key in objects(stack) if ended["jobId"] in key]


def test_the_doctor_finds_its_way(stack: Stack) -> None:
    ended = stack.api.run("flux-schnell", {"prompt": unique("lost")}, user_id=USER)
    clients.forget()
    site = local_site(stack.document)
    scope = Scope(young=timedelta(0))
    try:
        assert examine(site, scope, fix=False) == []
        site.s3.delete_object(Bucket=site.bucket, Key=ended["result"]["s3Path"])
        (found,) = examine(site, scope, fix=True)
        assert found.done == "fetched again from the provider"
        assert web.get(ended["result"]["originalUrl"]).status_code == 200
        assert examine(site, scope, fix=False) == []
    finally:
        site.close()


def test_the_doctor_misses_the_secret_that_the_names_are_made_with(stack: Stack) -> None:
    clients.forget()
    site, ssm, name = (
        local_site(stack.document),
        stack.client("ssm"),
        "/vsl/local/owner-name-secret",
    )
    ssm.delete_parameter(Name=name)
    try:
        (found,) = examine(site, Scope(young=timedelta(0)), fix=False)
        assert (found.finding.check, found.finding.subject) == ("secret", name)
        assert "holds none" in found.finding.what
    finally:
        site.close()
        secret = stack.document["ownerNameSecret"]
        ssm.put_parameter(Name=name, Value=secret, Type="SecureString")
