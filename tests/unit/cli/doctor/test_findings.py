"""What the doctor sees, whatever else is broken: jobs past their deadline, one bad secret of several."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from cli.doctor import examine as examination
from cli.doctor.findings import Finding, Scope
from cli.doctor.jobs import PATIENCE, drift, stuck_jobs
from cli.doctor.predictions import orphan_predictions
from cli.doctor.reach import secrets_in_force
from tests.support.fakes import START
from tests.support.jobs import make_job
from tests.support.memory_dynamodb import DynamoDBClient
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus
from vsl.domain.jobs.status import finished_document
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.prediction import Prediction, PredictionStatus

SCOPE: Any = Scope()
OTHER = "whsec_" + "b3RoZXIh" * 4
GOOD = "whsec_" + "Z29vZCEh" * 4


@dataclass
class FakeSite:
    """Stores in memory; `jobs` are the rows of PostgreSQL."""

    at: datetime
    jobs: list[dict[str, Any]] = field(default_factory=list)
    configured: dict[str, str] = field(default_factory=dict)
    theirs: str = GOOD
    predictions: list[Prediction] = field(default_factory=list)
    api_url: str = "https://api.example.com"
    stage: str = "test"
    opaque_names: bool = False
    distributed: bool = False
    tracking: DynamoTrackingStore = field(default_factory=lambda: DynamoTrackingStore("jobs"))

    def now(self) -> datetime:
        return self.at

    def rows(self, query: str, *_: object) -> list[dict[str, Any]]:
        if "orphaned_predictions" in query or "replicate_id" in query:
            return []
        ended = "completed_at IS NOT NULL" in query
        return [row for row in self.jobs if (row["status"] != "pending") is ended]

    @property
    def parameters(self) -> Any:
        return SimpleNamespace(find=self.configured.get)

    @property
    def provider(self) -> Any:
        return SimpleNamespace(
            webhook_secret=lambda: self.theirs, list_since=lambda _at: iter(self.predictions)
        )

    @property
    def redis(self) -> Any:
        return SimpleNamespace(run=lambda _work: None)

    @property
    def cache(self) -> Any:
        return SimpleNamespace(get=lambda _job_id: None)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> DynamoDBClient:
    table = DynamoDBClient()
    monkeypatch.setattr(clients, "client", lambda _service: table)
    return table


def row(job: Job, status: str = "pending") -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "created_at": job.created_at,
        "timeout_seconds": job.timeout_seconds,
        "estimated_cost": job.estimated_cost,
        "status": status,
        "actual_cost": None,
    }


def found(check: Any, site: FakeSite) -> list[Finding]:
    results: Iterator[Finding] = check(site, SCOPE)
    return list(results)


@pytest.mark.parametrize(
    ("late", "seen"), [(timedelta(), 0), (PATIENCE, 1), (timedelta(hours=1), 1)]
)
def test_a_job_past_its_deadline_is_seen_within_minutes(
    table: DynamoDBClient, late: timedelta, seen: int
) -> None:
    assert timedelta(minutes=5) >= PATIENCE
    job = make_job()
    site = FakeSite(job.deadline + late, [row(job)])
    site.tracking.create(job, job.deadline, None)
    assert [finding.subject for finding in found(stuck_jobs, site)] == [job.job_id] * seen


def test_the_deadline_is_the_one_in_the_item(table: DynamoDBClient) -> None:
    job = make_job()
    site = FakeSite(job.deadline, [row(job)])
    site.tracking.create(job, START, None)
    assert [finding.subject for finding in found(stuck_jobs, site)] == [job.job_id]


def test_an_item_that_cannot_be_read_hides_no_other(table: DynamoDBClient) -> None:
    broken, fine = make_job("broken"), make_job("fine")
    site = FakeSite(START + timedelta(hours=2), [row(broken), row(fine)])
    for job in (broken, fine):
        site.tracking.create(job, job.deadline, None)
    table.items[broken.job_id] = {
        name: value for name, value in table.items[broken.job_id].items() if name != "userId"
    }
    first, second = found(stuck_jobs, site)
    assert (first.subject, first.cure) == (broken.job_id, None)
    assert "cannot be read: KeyError" in first.what
    assert second.subject == fine.job_id


def test_drift_is_seen_beside_an_item_that_cannot_be_read(table: DynamoDBClient) -> None:
    broken, drifted = make_job("broken"), make_job("drifted")
    site = FakeSite(
        START + timedelta(hours=2), [row(broken, "succeeded"), row(drifted, "succeeded")]
    )
    for job in (broken, drifted):
        site.tracking.create(job, job.deadline, None)
        end = FinishedJob(job, JobStatus.FAILED, START, error_code="X")
        site.tracking.finish(end, finished_document(end))
    table.items[broken.job_id] |= {"estimatedTime": {"S": "long"}}
    findings = {finding.subject: finding.what for finding in found(drift, site)}
    assert "cannot be read" in findings[broken.job_id]
    assert "is failed for DynamoDB" in findings[drifted.job_id]


def test_a_prediction_of_an_item_that_cannot_be_read_hides_no_other(
    table: DynamoDBClient,
) -> None:
    broken, fine = make_job("broken"), make_job("fine")
    ids = {broken.job_id: "of-broken", fine.job_id: "of-fine"}
    site = FakeSite(START + timedelta(hours=2))
    for job in (broken, fine):
        site.tracking.create(job, job.deadline, None)
        address = webhook_url(site.api_url, job.job_id, 1)
        status = PredictionStatus.PROCESSING
        site.predictions.append(Prediction(ids[job.job_id], status, webhook=address))
    table.items[broken.job_id] |= {"estimatedTime": {"S": "long"}}
    first, second = found(orphan_predictions, site)
    assert (first.subject, first.cure) == (broken.job_id, None)
    assert "cannot be read: ValueError" in first.what
    assert second.subject == "of-fine"


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_site: object, _scope: object) -> Iterator[Finding]:
        yield Finding("a check", "one", "is wrong", cure=lambda: str(1 / 0))
        raise KeyError("userId")

    monkeypatch.setattr(examination, "CHECKS", {"a check": broken})
    site: Any = FakeSite(START)
    one, other = examination.examine(site, SCOPE, fix=True)
    assert (one.finding.subject, one.open, one.failed) == (
        "one",
        True,
        "ZeroDivisionError: division by zero",
    )
    assert "could not be checked: KeyError: 'userId'" in other.finding.what


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("replicate-webhook-secret", f"whsec_broken!,{GOOD}", "1 of 2"),
        ("replicate-webhook-secret", f"{GOOD}\nwhsec_", "2 of 2"),
        ("callback-signing-secret", f"{OTHER},secret", "2 of 2"),
        ("owner-name-secret", f"too-short,{'n' * 32}", "1 of 2"),
    ],
)
def test_a_bad_secret_is_named_and_never_printed(name: str, text: str, place: str) -> None:
    site = FakeSite(START, configured={name: text})
    (finding,) = found(secrets_in_force, site)
    assert finding.subject == f"/vsl/test/{name}"
    assert place in finding.what
    told = repr(finding) + finding.advice
    assert "broken" not in told
    assert GOOD not in told


@pytest.mark.parametrize("text", [f"{GOOD}\n", f'"{OTHER}, {GOOD}"', GOOD.rstrip("=")])
def test_a_secret_may_be_pasted_with_what_was_around_it(text: str) -> None:
    site = FakeSite(START, configured={"replicate-webhook-secret": text})
    assert found(secrets_in_force, site) == []


def test_a_secret_that_is_not_the_providers(table: DynamoDBClient) -> None:
    site = FakeSite(START, configured={"replicate-webhook-secret": OTHER})
    (finding,) = found(secrets_in_force, site)
    assert "not the provider's" in finding.what
    assert finding.money is None or finding.money == Decimal(0)


@pytest.mark.parametrize(("text", "faults"), [("", 1), ("too-short", 2), ("n" * 32, 0)])
def test_users_named_by_a_secret_need_one(text: str, faults: int) -> None:
    site = FakeSite(START, configured={"owner-name-secret": text}, opaque_names=True)
    subjects = [finding.subject for finding in found(secrets_in_force, site)]
    assert subjects == ["/vsl/test/owner-name-secret"] * faults
