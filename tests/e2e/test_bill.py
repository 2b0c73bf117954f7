"""`vsl doctor --bill` finds where the ledger is not the provider's bill, and puts right what it can.

Each test asks for what it has brought about itself: other tests' jobs are in the same stores.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cli.doctor.examine import BILL, CHECKS, examine
from cli.doctor.findings import Examined, Scope
from cli.doctor.site import Site, local_site
from devstack.replicate.faults import NsfwFilter, WebhookFault
from tests.e2e.test_doctor import about, execute
from tests.support import web
from tests.support.api import unique
from tests.support.jobs import make_job
from tests.support.stack import Stack
from tests.support.waiting import until
from vsl.adapters.aws import clients
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus
from vsl.domain.jobs.webhook_url import webhook_url

pytestmark = pytest.mark.e2e

SCOPE = Scope(window=timedelta(days=3), young=timedelta(0))
FLUX = "black-forest-labs/flux-schnell"
PICTURE = Decimal("0.003")


@pytest.fixture
def site(stack: Stack) -> Iterator[Site]:
    clients.forget()
    made = local_site(stack.document)
    yield made
    made.close()


def found(site: Site, *subjects: str, fix: bool = False) -> list[Examined]:
    examined = examine(site, SCOPE, fix=fix, checks=BILL)
    assert about(examined, "could not be checked") == []
    return about(examined, *subjects)


def differs(site: Site, subject: str) -> Examined:
    """The one finding of the bill about it."""
    (only,) = found(site, subject)
    assert only.finding.subject == subject
    return only


def cured(site: Site, subject: str) -> str:
    """What its cure says; after it, nothing is found."""
    (after,) = found(site, subject, fix=True)
    assert after.failed is None
    assert found(site, subject) == []
    return str(after.done)


def paid(site: Site, job_id: str) -> dict[str, Decimal]:
    """The movements of a job to and from the provider, in dollars."""
    rows = site.rows(
        "SELECT movement, amount FROM ledger WHERE job_id = %s AND 'provider' IN (from_account,"
        " to_account)",
        job_id,
    )
    return {row["movement"]: Decimal(row["amount"]) / 1_000_000 for row in rows}


def prediction(stack: Stack, site: Site, job_id: str, prompt: str) -> str:
    """One of the provider that has ended, made for a job that does not know it, and without webhooks."""
    stack.control.faults(WebhookFault.model_validate({"match": {"prompt": prompt}, "kind": "drop"}))
    address = webhook_url(site.api_url, job_id, 9)
    made = site.provider.create(FLUX, {"prompt": prompt}, address, 300)
    until(lambda: stack.control.prediction(made.id).status, lambda status: status == "succeeded")
    return made.id


def ended_job(site: Site, replicate_id: str | None, **end: object) -> Job:
    """A job that ended two days ago, which no store but PostgreSQL knows."""
    at = site.now() - timedelta(days=2)
    job = make_job(unique("old"), at, job_id=new_job_id(at), user_id=unique("payer"))
    site.repository.create_job(job, None)
    values = {"status": JobStatus.SUCCEEDED, "completed_at": at + timedelta(seconds=9)} | end
    finished = FinishedJob(job=job, replicate_id=replicate_id, **values)  # type: ignore[arg-type]
    assert site.repository.finish_job(finished) is not None
    return job


def test_a_bill_that_agrees(stack: Stack, site: Site) -> None:
    """By image with one of them filtered, and by the second; and when its job is deleted."""
    filtered = unique("two of three")
    stack.control.faults(NsfwFilter.model_validate({"match": {"prompt": filtered}, "flagged": 1}))
    jobs = [
        stack.api.run("flux-schnell", {"prompt": filtered, "num_outputs": 3}),
        stack.api.run("sdxl", {"prompt": unique("by the second")}),
    ]
    assert [job["status"] for job in jobs] == ["succeeded"] * 2
    assert paid(site, jobs[0]["jobId"]) == {"charge": 2 * PICTURE}
    for job in jobs:
        assert found(site, job["jobId"], job["replicateId"]) == []
    gone = web.delete(f"{stack.api.url}/jobs/{jobs[0]['jobId']}")
    assert gone.status_code == 204
    assert found(site, jobs[0]["jobId"], jobs[0]["replicateId"]) == []


def test_a_prediction_that_the_ledger_does_not_know(stack: Stack, site: Site) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("with a twin")})["jobId"]
    twin = prediction(stack, site, job_id, unique("the twin"))
    missing = differs(site, twin)
    assert (missing.finding.check, missing.finding.money) == ("bill: missing", PICTURE)
    assert "recorded as orphaned" in cured(site, twin)
    assert paid(site, job_id) == {"charge": PICTURE, "orphan": PICTURE}


def test_another_amount_than_the_providers(stack: Stack, site: Site) -> None:
    replicate_id = prediction(stack, site, new_job_id(site.now()), unique("told another time"))
    job = ended_job(site, replicate_id, actual_cost=PICTURE * 2)
    other = differs(site, replicate_id)
    assert (other.finding.check, other.finding.money) == ("bill: other amount", PICTURE)
    assert other.finding.what == f"cost $0.003, and $0.006 by the ledger, for job {job.job_id}"
    assert other.finding.cure is None


def test_an_estimate_that_stands_for_a_cost(stack: Stack, site: Site) -> None:
    replicate_id = prediction(stack, site, new_job_id(site.now()), unique("cost unknown"))
    job = ended_job(site, replicate_id, actual_cost=None)
    execute(site, "UPDATE holds SET estimate = 2000 WHERE job_id = %s", job.job_id)
    assert "stands for it" in differs(site, replicate_id).finding.what
    assert cured(site, replicate_id) == "settled"
    assert sum(paid(site, job.job_id).values()) == PICTURE


def test_a_hold_that_was_never_settled(stack: Stack, site: Site) -> None:
    replicate_id = prediction(stack, site, new_job_id(site.now()), unique("never settled"))
    job = ended_job(site, replicate_id, settled=False)
    none = ended_job(site, None, settled=False, status=JobStatus.CANCELED)
    assert differs(site, none.job_id).finding.check == "open hold"
    checks = {each.finding.check for each in found(site, job.job_id)}
    assert checks == {"open hold", "bill: missing"}
    assert cured(site, none.job_id).startswith("given back")
    found(site, job.job_id, fix=True)
    assert found(site, job.job_id, replicate_id) == []
    assert (paid(site, job.job_id), paid(site, none.job_id)) == ({"charge": PICTURE}, {})


def test_a_prediction_in_the_ledger_twice(stack: Stack, site: Site) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("twice")})
    execute(
        site,
        "SELECT charge_stage(%s, 'orphan', %s, 3000)",
        job["replicateId"],
        job["jobId"],
    )
    assert differs(site, job["replicateId"]).finding.check == "bill: charged twice"


def test_a_charge_that_the_provider_does_not_know(site: Site) -> None:
    invented = unique("invented").replace(" ", "")
    ended_job(site, invented, actual_cost=PICTURE)
    unknown = differs(site, invented)
    assert unknown.finding.check == "bill: not at the provider"
    assert unknown.finding.money == PICTURE


def test_a_running_total_that_is_not_its_sum(site: Site) -> None:
    job = ended_job(site, unique("prediction").replace(" ", ""), actual_cost=PICTURE)
    account = f"invoice:{job.user_id}"
    assert found(site, account) == []
    change = "UPDATE budgets SET spent = spent + %s WHERE owner = %s"
    execute(site, change, 1, f"user:{job.user_id}")
    wrong = differs(site, account)
    assert (wrong.finding.check, wrong.finding.money) == ("balance", Decimal("0.000001"))
    execute(site, change, -1, f"user:{job.user_id}")
    assert found(site, account) == []


def vsl(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).parent / "vsl")
    command = [program, *words, "--state", str(stack.document["state"])]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_tells_by_its_exit_code(stack: Stack, site: Site) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("of the command")})["jobId"]
    done = vsl(stack, "doctor", "--bill", "--days", "1", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["open"] else 0)
    assert not [each for each in report["findings"] if job_id in json.dumps(each)]
    assert {each["check"].partition(":")[0] for each in report["findings"]} <= {
        "bill",
        "open hold",
        "balance",
    }


def test_a_frozen_model_is_shown_and_unfrozen(stack: Stack, site: Site) -> None:
    model_id = unique("model").replace(" ", "-")
    at = site.now()
    job = make_job(unique("costly"), at, job_id=new_job_id(at), model_id=model_id)
    site.repository.create_job(job, None)
    site.repository.finish_job(FinishedJob(job, JobStatus.SUCCEEDED, at, actual_cost=PICTURE * 4))
    (frozen,) = about(examine(site, SCOPE, fix=False, checks=CHECKS), model_id)
    assert frozen.finding.check == "frozen model"
    assert {job.job_id, "$0.012,", "$0.003"} <= set(frozen.finding.what.split())
    refused = vsl(stack, "models", "unfreeze", "no-such-model")
    assert refused.returncode != 0
    done = vsl(stack, "models", "unfreeze", model_id, "--json")
    assert json.loads(done.stdout)["modelId"] == model_id
    assert about(examine(site, SCOPE, fix=False, checks=CHECKS), model_id) == []
