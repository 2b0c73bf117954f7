"""`vsl doctor` finds every kind of drift, puts right what can be, and is then content.

Each test asks for what it has brought about itself: what the jobs of other tests have come to on a
slow machine is in the same stores, and is theirs.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.doctor.examine import examine
from cli.doctor.findings import Examined, Scope
from cli.doctor.site import Site, local_site
from devstack.replicate.faults import WebhookFault
from tests.support import web
from tests.support.api import unique
from tests.support.jobs import make_job
from tests.support.receiver import receiver
from tests.support.stack import Stack
from tests.support.template import REPOSITORY
from vsl.adapters.aws import clients
from vsl.adapters.aws.parameters import Parameters
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus, OrphanedPrediction
from vsl.domain.jobs.status import finished_document
from vsl.domain.jobs.webhook_url import webhook_url

pytestmark = pytest.mark.e2e

SCOPE = Scope(young=timedelta(0))


@pytest.fixture
def site(stack: Stack) -> Iterator[Site]:
    clients.forget()
    made = local_site(stack.document)
    yield made
    made.close()


def about(examined: list[Examined], *subjects: str) -> list[Examined]:
    """What was found of these subjects, or mentions one."""
    return [
        each
        for each in examined
        if any(subject in f"{each.finding.subject} {each.finding.what}" for subject in subjects)
    ]


def found(site: Site, *subjects: str) -> list[Examined]:
    return about(examine(site, SCOPE, fix=False), *subjects)


def cured(site: Site, check: str, *subjects: str) -> list[str]:
    """Exactly these findings, each put right; a second examination finds nothing."""
    before = found(site, *subjects)
    assert sorted((each.finding.check, each.finding.subject) for each in before) == sorted(
        (check, subject) for subject in subjects
    )
    after = about(examine(site, SCOPE, fix=True), *subjects)
    assert [each.failed for each in after] == [None] * len(subjects)
    assert found(site, *subjects) == []
    return [str(each.done) for each in after]


def execute(site: Site, statement: str, *values: object) -> None:
    with psycopg.connect(site.parameters.get("database-url")) as connection:
        connection.execute(statement.encode(), values)


def old_job(site: Site) -> Job:
    """Past its deadline, and not yet so long that the hourly repair would end it."""
    at = site.now() - timedelta(minutes=45)
    job = make_job(unique("old"), at, job_id=new_job_id(at))
    site.repository.create_job(job, None)
    return job


def out_of_the_pollers_sight(site: Site, job: Job) -> None:
    """Its item, which the stack's own poller would see to within a minute."""
    site.tracking.create(job, job.deadline, None)
    item = site.tracking.get(job.job_id)
    assert item is not None
    site.tracking.stop_polling(item)


def test_a_job_stuck_past_its_deadline(stack: Stack, site: Site) -> None:
    known, unknown = old_job(site), old_job(site)
    out_of_the_pollers_sight(site, known)
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
    assert "recorded as orphaned" in done
    assert site.rows(
        "SELECT job_id::text FROM orphaned_predictions WHERE replicate_id = %s", twin.id
    )


def test_a_file_that_is_gone_is_fetched_again(stack: Stack, site: Site) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("lost")})
    site.s3.delete_object(Bucket=site.bucket, Key=job["result"]["s3Path"])
    (done,) = cured(site, "job without its object", job["jobId"])
    assert done == "fetched again from the provider"
    content = web.get(job["result"]["originalUrl"])
    assert len(content.content) == job["result"]["fileSize"]


def test_a_file_that_cannot_be_had_again_is_put_on_record(stack: Stack, site: Site) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("lost for good")})
    execute(site, "UPDATE jobs SET replicate_id = NULL WHERE job_id = %s", job["jobId"])
    site.s3.put_object(Bucket=site.bucket, Key=job["result"]["s3Path"], Body=b"cut off")
    (before,) = found(site, job["jobId"])
    assert before.finding.money == Decimal("0.003")
    (done,) = cured(site, "job without its object", job["jobId"])
    assert done.startswith("lost")


def test_a_file_of_no_job(site: Site) -> None:
    job_id = new_job_id(site.now())
    key = f"media/somebody/image/2026/03/01/{job_id}/0-out.webp"
    site.s3.put_object(Bucket=site.bucket, Key=key, Body=b"nobody's")
    cured(site, "object without a job", job_id)


def test_a_tracking_item_and_a_cache_that_tell_another_end(stack: Stack, site: Site) -> None:
    one, other = (
        stack.api.run("flux-schnell", {"prompt": unique("drifting")})["jobId"] for _ in range(2)
    )
    document = site.repository.status(one)
    assert document is not None
    wrong = replace(document_job(site, one), status=JobStatus.FAILED)
    site.forget_tracking_item(one)
    site.tracking.finish(wrong, document | {"status": "failed"})
    site.cache.put(document | {"jobId": other, "status": "canceled"})
    site.cache.put(document)
    cured(site, "drift", one, other)
    assert stack.api.status(one)["status"] == "succeeded"
    assert stack.api.status(other)["status"] == "succeeded"


def document_job(site: Site, job_id: str) -> FinishedJob:
    item = site.tracking.get(job_id)
    assert item is not None
    return FinishedJob(item.job, JobStatus.SUCCEEDED, site.now())


def test_an_end_and_an_orphan_that_were_never_recorded(stack: Stack, site: Site) -> None:
    job = old_job(site)
    out_of_the_pollers_sight(site, job)
    ended = FinishedJob(job, JobStatus.CANCELED, site.now(), orphans=())
    site.tracking.finish(ended, finished_document(ended))
    other = stack.api.run("flux-schnell", {"prompt": unique("a fox")})["jobId"]
    orphaned = unique("prediction").replace(" ", "")
    site.tracking.add_orphan(
        other, OrphanedPrediction(orphaned, site.now(), "list", Decimal("0.003"))
    )
    cured(site, "drift", job.job_id, orphaned)
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
    (failed,) = about(examine(site, SCOPE, fix=True), "failed-repairs")
    assert failed.open
    anchor = failed.finding.advice.partition("docs/operations.md#")[2]
    headings = (REPOSITORY / "docs/operations.md").read_text().lower().replace(" ", "-")
    assert f"##-{anchor}\n" in headings
    site.sqs.purge_queue(QueueUrl=queue)
    assert found(site, "failed-repairs") == []


class AnotherWebhookSecret(Parameters):
    def find(self, name: str) -> str | None:
        if name == "replicate-webhook-secret":
            return "whsec_" + "b3RoZXIh" * 3
        return super().find(name)


def test_doors_and_keys_need_a_person(stack: Stack, site: Site) -> None:
    closed = replace(site, api_url="http://127.0.0.1:9")
    (unreachable,) = found(closed, closed.api_url)
    closed.close()
    assert (unreachable.finding.check, unreachable.finding.cure) == ("webhook endpoint", None)
    # The functions have the one in force: whoever changes it there finds them with either for five minutes.
    other = local_site(stack.document)
    vars(other)["parameters"] = AnotherWebhookSecret("/vsl/local/")
    name = "/vsl/local/replicate-webhook-secret"
    checks = {each.finding.check for each in found(other, name, other.api_url)}
    other.close()
    assert checks == {"secret", "webhook endpoint"}


def test_the_command_tells_by_its_exit_code(stack: Stack, site: Site) -> None:
    job = old_job(site)

    def doctor(*options: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
        """Its exit code, its report, and what of that is about the job."""
        vsl = str(Path(sys.executable).parent / "vsl")
        command = [vsl, "doctor", "--json", "--state", str(stack.document["state"]), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
        assert done.returncode == (1 if report["open"] else 0)
        own = [each for each in report["findings"] if each["subject"] == job.job_id]
        return done.returncode, report, own

    code, report, (stuck,) = doctor()
    assert (code, stuck["check"], stuck["done"]) == (1, "stuck job", None)
    assert report["open"] == len(report["findings"])
    _, _, (ended,) = doctor("--fix")
    assert ended["done"]
    _, _, own = doctor()
    assert own == []
