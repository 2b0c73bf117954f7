"""`vsl doctor` finds every kind of drift, puts right what can be, and is then content."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pytest

from devstack.doctor.examine import examine
from devstack.doctor.findings import Examined, Scope
from devstack.doctor.site import Site, local_site
from devstack.replicate.faults import WebhookFault
from tests.support.api import unique
from tests.support.jobs import make_job
from tests.support.receiver import receiver
from tests.support.stack import Stack, close_clients
from tests.support.template import REPOSITORY
from vsl.domain.ids import new_job_id
from vsl.domain.job import FinishedJob, Job, JobStatus, Waste
from vsl.domain.status import finished_document
from vsl.domain.webhook_url import webhook_url

pytestmark = pytest.mark.e2e

SCOPE = Scope(young=timedelta(0))


@pytest.fixture(scope="module", autouse=True)
def nothing_left_of_other_tests(stack: Stack) -> None:
    close_clients()
    made = local_site(stack.document)
    examine(made, SCOPE, fix=True)
    made.close()


@pytest.fixture
def site(stack: Stack) -> Iterator[Site]:
    close_clients()
    made = local_site(stack.document)
    yield made
    made.close()


def found(site: Site) -> list[Examined]:
    return examine(site, SCOPE, fix=False)


def cured(site: Site, check: str, *subjects: str) -> list[str]:
    """Exactly these findings, each put right; a second examination finds nothing."""
    before = found(site)
    assert sorted((each.finding.check, each.finding.subject) for each in before) == sorted(
        (check, subject) for subject in subjects
    )
    after = examine(site, SCOPE, fix=True)
    assert [each.failed for each in after] == [None] * len(subjects)
    assert found(site) == []
    return [str(each.done) for each in after]


def execute(site: Site, statement: str, *values: object) -> None:
    with psycopg.connect(site.parameters.get("database-url")) as connection:
        connection.execute(statement.encode(), values)


def old_job(site: Site) -> Job:
    at = site.now() - timedelta(hours=2)
    job = make_job(unique("old"), at, job_id=new_job_id(at))
    site.accounting.create_job(job, None)
    return job


def test_a_job_stuck_past_its_deadline(stack: Stack, site: Site) -> None:
    known, unknown = old_job(site), old_job(site)
    site.live.create(known, known.created_at + timedelta(minutes=7), None)
    cured(site, "stuck job", known.job_id, unknown.job_id)
    for job in (known, unknown):
        status = stack.api.status(job.job_id)
        assert (status["status"], status["errorCode"]) == ("failed", "ExecutionStopped")


def test_a_prediction_nobody_knows(stack: Stack, site: Site) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("with a twin")})["jobId"]
    prompt = unique("the twin")
    stack.control.faults(WebhookFault.model_validate({"match": {"prompt": prompt}, "kind": "drop"}))
    twin = site.provider.create(
        "black-forest-labs/flux-schnell",
        {"prompt": prompt},
        webhook_url(site.api_url, job_id, 9),
        300,
    )
    (done,) = cured(site, "prediction without a job", twin.id)
    assert "booked" in done
    assert site.rows("SELECT job_id::text FROM wasted_predictions WHERE replicate_id = %s", twin.id)


def test_a_file_that_is_gone_is_fetched_again(stack: Stack, site: Site) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("lost")})
    site.s3.delete_object(Bucket=site.bucket, Key=job["result"]["s3Path"])
    (done,) = cured(site, "job without its object", job["jobId"])
    assert done == "fetched again from the provider"
    content = httpx.get(job["result"]["originalUrl"], trust_env=False)
    assert len(content.content) == job["result"]["fileSize"]


def test_a_file_that_cannot_be_had_again_is_put_on_record(stack: Stack, site: Site) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("lost for good")})
    execute(site, "UPDATE jobs SET replicate_id = NULL WHERE job_id = %s", job["jobId"])
    site.s3.put_object(Bucket=site.bucket, Key=job["result"]["s3Path"], Body=b"cut off")
    (before,) = found(site)
    assert before.finding.money == Decimal("0.003")
    (done,) = cured(site, "job without its object", job["jobId"])
    assert done.startswith("lost")


def test_a_file_of_no_job(site: Site) -> None:
    job_id = new_job_id(site.now())
    key = f"media/somebody/image/2026/03/01/{job_id}/0-out.webp"
    site.s3.put_object(Bucket=site.bucket, Key=key, Body=b"nobody's")
    cured(site, "object without a job", job_id)


def test_a_live_item_and_a_cache_that_tell_another_end(stack: Stack, site: Site) -> None:
    one, other = (
        stack.api.run("flux-schnell", {"prompt": unique("drifting")})["jobId"] for _ in range(2)
    )
    document = site.accounting.status(one)
    assert document is not None
    wrong = replace(document_job(site, one), status=JobStatus.FAILED)
    site.forget_live_item(one)
    site.live.finish(wrong, document | {"status": "failed"})
    site.cache.put(document | {"jobId": other, "status": "canceled"})
    site.cache.put(document)
    cured(site, "drift", one, other)
    assert stack.api.status(one)["status"] == "succeeded"
    assert stack.api.status(other)["status"] == "succeeded"


def document_job(site: Site, job_id: str) -> FinishedJob:
    item = site.live.get(job_id)
    assert item is not None
    return FinishedJob(item.job, JobStatus.SUCCEEDED, site.now())


def test_an_end_and_a_waste_that_were_never_booked(stack: Stack, site: Site) -> None:
    job = old_job(site)
    site.live.create(job, job.created_at + timedelta(minutes=7), None)
    ended = FinishedJob(job, JobStatus.CANCELED, site.now(), waste=())
    site.live.finish(ended, finished_document(ended))
    other = stack.api.run("flux-schnell", {"prompt": unique("wasteful")})["jobId"]
    wasted = unique("prediction").replace(" ", "")
    site.live.add_waste(other, Waste(wasted, site.now(), "list", Decimal("0.003")))
    cured(site, "drift", job.job_id, wasted)
    assert stack.api.status(job.job_id)["status"] == "canceled"


def test_a_callback_that_was_given_up_through_our_own_fault(stack: Stack, site: Site) -> None:
    with receiver() as client:
        job_id = stack.api.submit(
            "flux-schnell", {"prompt": unique("dead")}, callback_url=client.origin + "/"
        )
        client.wait("/")
        body = json.dumps({"jobId": job_id, "deliveryId": "held-up"})
        site.sqs.send_message(QueueUrl=site.queue("callbacks-dead"), MessageBody=body)
        (done,) = cured(site, "messages given up", "callbacks-dead")
        assert done.startswith("1 put back")
        client.wait("/", 2)


def test_a_call_that_failed_for_good_needs_a_person(site: Site) -> None:
    queue = site.queue("failed-repairs")
    site.sqs.send_message(QueueUrl=queue, MessageBody="{}")
    (failed,) = examine(site, SCOPE, fix=True)
    assert (failed.finding.subject, failed.open) == ("failed-repairs", True)
    anchor = failed.finding.advice.partition("docs/operations.md#")[2]
    headings = (REPOSITORY / "docs/operations.md").read_text().lower().replace(" ", "-")
    assert f"##-{anchor}\n" in headings
    site.sqs.purge_queue(QueueUrl=queue)
    assert found(site) == []


def test_doors_and_keys_need_a_person(stack: Stack, site: Site) -> None:
    closed = replace(site, api_url="http://127.0.0.1:9")
    (unreachable,) = found(closed)
    closed.close()
    assert (unreachable.finding.check, unreachable.finding.cure) == ("webhook endpoint", None)
    ssm, name = stack.client("ssm"), "/vsl/local/replicate-webhook-secret"
    there = site.parameters.find("replicate-webhook-secret")
    try:
        ssm.put_parameter(
            Name=name, Value="whsec_" + "b3RoZXIh" * 3, Type="SecureString", Overwrite=True
        )
        other = local_site(stack.document)
        checks = {each.finding.check for each in found(other)}
        other.close()
    finally:
        if there is None:
            ssm.delete_parameter(Name=name)
        else:
            ssm.put_parameter(Name=name, Value=there, Type="SecureString", Overwrite=True)
    assert checks == {"secret", "webhook endpoint"}


def test_the_command_tells_by_its_exit_code(stack: Stack, site: Site) -> None:
    job = old_job(site)

    def doctor(*options: str) -> subprocess.CompletedProcess[str]:
        vsl = str(Path(sys.executable).parent / "vsl")
        command = [vsl, "doctor", "--state", str(stack.document["state"]), *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    sick = doctor("--json")
    report = json.loads(sick.stdout)
    assert (sick.returncode, report["open"]) == (1, 1)
    assert report["findings"][0]["subject"] == job.job_id
    assert doctor("--fix").returncode == 0
    well = doctor()
    assert (well.returncode, "All well" in well.stderr) == (0, True)
