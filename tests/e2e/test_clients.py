"""The clients of clients/ against a running stack, as their READMEs use them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import unique
from tests.support.cutting_proxy import cutting_proxy
from tests.support.receiver import receiver
from tests.support.stack import Stack
from vsl_client import Client, VslError, verify_webhook

pytestmark = pytest.mark.e2e


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.document["apiUrl"], user_id="python", patience=300) as opened:
        yield opened


def test_models_run_status_list_and_download(client: Client, tmp_path: Path) -> None:
    assert "flux-schnell" in [model["modelId"] for model in client.models()]
    order = unique("order")
    job = client.run(
        "flux-schnell", {"prompt": "a lighthouse", "num_outputs": 2}, metadata={"order": order}
    )
    assert job["status"] == "succeeded"
    assert client.status(job["jobId"])["prompt"] == "a lighthouse"
    (listed,) = client.jobs(metadata={"order": order})["jobs"]
    assert listed["jobId"] == job["jobId"]

    files = client.download(job, tmp_path / "out")
    sizes = [output["fileSize"] for output in job["outputs"]]
    assert [path.stat().st_size for path in files] == sizes
    assert [path.name for path in files] == [f"{job['jobId']}-{n}.webp" for n in range(2)]
    assert sorted((tmp_path / "out").iterdir()) == files, "nothing half-written stays"

    other: list[str] = [client.run("flux-schnell", {"prompt": unique("another")})["jobId"]]
    assert other != [job["jobId"]], "each call is a job of its own"


def test_a_file_that_is_not_what_was_stored_is_refused(client: Client, tmp_path: Path) -> None:
    job = client.run("flux-schnell", {"prompt": unique("checked")})
    job["outputs"][0]["sha256"] = "0" * 64
    with pytest.raises(VslError) as refused:
        client.download(job, tmp_path)
    assert refused.value.code == "ChecksumMismatch"
    assert list(tmp_path.iterdir()) == []


def test_progress_until_the_end(client: Client) -> None:
    seen = list(client.subscribe("flux-schnell", {"prompt": unique("slowly")}))
    assert seen[-1]["status"] == "succeeded"
    assert seen[-1]["progress"] == 1.0
    assert all(each["status"] in {"pending", "processing", "storing"} for each in seen[:-1])


def test_one_job_when_the_answer_is_lost(stack: Stack) -> None:
    order = unique("order")
    with (
        cutting_proxy(stack.document["apiUrl"], lose=2) as proxy,
        Client(proxy.url, user_id="python", patience=300) as client,
    ):
        job = client.run("flux-schnell", {"prompt": "once"}, metadata={"order": order})
        assert proxy.lost == 2
        assert [each["jobId"] for each in client.jobs(metadata={"order": order})["jobs"]] == [
            job["jobId"]
        ]


def test_refusals_and_failures_are_one_error(client: Client, stack: Stack) -> None:
    with pytest.raises(VslError) as refused:
        client.run("flux-schnell", {"width": 9999})
    error = refused.value
    assert (error.code, error.status) == ("InvalidParameters", 400)
    assert [fault["field"] for fault in error.fields] == ["parameters.width", "parameters.prompt"]

    accepted = client.submit("minimax-video-01", {"prompt": unique("stopped")})
    client.cancel(accepted["jobId"])
    with pytest.raises(VslError) as ended:
        client.wait(accepted["jobId"])
    assert ended.value.code == "JobCanceled"
    assert ended.value.job is not None
    assert ended.value.job["status"] == "canceled"


def test_callbacks_are_verified(client: Client) -> None:
    with receiver() as server:
        callback = f"{server.origin}/{unique('ended').replace(' ', '-')}"
        job = client.run("flux-schnell", {"prompt": unique("a bell")}, callbackUrl=callback)
        (received,) = server.wait(callback.removeprefix(server.origin))
    secret = client.webhook_secret()
    event = verify_webhook(received.body, received.headers, secret)
    assert (event["event"], event["jobId"]) == ("ended", job["jobId"])
    rotated = {**secret, "secret": "whsec_bm90IHRoaXMgb25l", "previous": [secret["secret"]]}
    assert verify_webhook(received.body, received.headers, rotated) == event  # type: ignore[arg-type]
    old = {**received.headers, "webhook-timestamp": str(int(time.time()) - 900)}
    for body, headers in ((received.body + b" ", received.headers), (received.body, old)):
        with pytest.raises(VslError, match="InvalidSignature"):
            verify_webhook(body, headers, secret)
