"""The page of costs and its pictures are what the template, the counted work and the prices say."""

import re
from pathlib import Path

import pytest

from benchmarks.scale import cost, load, page, pictures, scenarios
from benchmarks.scale import outage as outages
from benchmarks.work import BUDGET
from tests.support.jobs import catalogue
from tests.support.template import api_source
from vsl.runtime.observability import DIMENSIONS, METRICS
from vsl.services.waiting.look_ahead import LookAhead
from vsl.services.waiting.pace import POLLERS_SHARE


@pytest.mark.thorough
def test_the_page_is_what_is_reckoned_today() -> None:
    reckoned = page.page()
    assert page.PAGE.read_text() == reckoned, "make scale"
    assert "{{" not in reckoned


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("path", "data"),
    [(pictures.COST, pictures.cost_data), (pictures.SCALE, pictures.scale_data)],
    ids=["cost", "scale"],
)
def test_a_picture_shows_todays_figures(path: Path, data: object) -> None:
    assert callable(data)
    found = re.search(r"<dc:description>(\w+)</dc:description>", path.read_text())
    assert found, path
    assert found[1] == pictures.digest(data()), "make scale"
    assert path.stat().st_size < 60_000


def test_the_work_that_is_priced_is_the_budget() -> None:
    found = load.work()
    assert found.transitions == BUDGET["state transitions"]
    assert len(found.steps) + len(found.webhooks) == BUDGET["Lambda invocations"]
    assert sum(found.write_requests.values()) + found.read_units - 1 == BUDGET["DynamoDB requests"]
    assert found.puts + found.gets == BUDGET["S3 requests"]
    assert [call.function for call in found.api_workflow] == [
        "validate_request",
        "check_rate_limit",
        "create_job",
    ]


def test_a_line_by_hand() -> None:
    """Eight transitions at 25 dollars a million."""
    (line,) = (each for each in cost.lines("image") if each.service.endswith("media_job"))
    assert line.usd == 8 * 25
    delivery = next(each for each in cost.lines("video") if each.service.startswith("Delivery"))
    assert delivery.usd == pytest.approx(12 * 1000 * 0.09)
    assert cost.provider("image") == pytest.approx(3000)


def test_a_view_by_hand() -> None:
    """A million views of 12 MB are 12,000 GB."""
    found = cost.views("video")
    assert found.presigned == pytest.approx(12_000 * 0.09 + 0.4)
    assert found.cached == pytest.approx(12_000 * 0.085 + 1)
    assert found.fetched == pytest.approx(found.cached + 0.4)


def test_an_authorizer_runs_before_each_request_of_a_client() -> None:
    """The POST and one long poll; a video's client asks every ten seconds. Webhooks have no key."""
    image, video = (cost.authorization(kind) for kind in ("image", "video"))
    assert image.requests == 2
    assert video.requests == 1 + cost.looks("video").requests
    each = load.work().authorizer
    assert each.megabytes == load.megabytes("authorize_key")
    seconds = each.seconds() * each.megabytes / 1024 * 1e6 * cost.price("lambdaSeconds.arm64")
    by_hand = cost.price("lambdaRequests") + seconds + cost.price("readUnits") + cost.price("logs")
    assert image.usd == pytest.approx(2 * by_hand)
    assert image.executions(1000) == pytest.approx(2000 * each.seconds())
    paths = api_source()["paths"]
    assert paths["/webhook/replicate"]["post"]["security"] == []


def test_metrics_are_counted_as_cloudwatch_bills_them() -> None:
    """Each value of a dimension is a metric, and each is there once more by stage alone."""
    found = cost.metrics()
    alone = len(METRICS)
    by_model = len(catalogue().models)
    assert alone + by_model < found < alone + by_model + 60
    line = next(each for each in cost.monthly_lines() if "metrics" in each.service)
    assert f"{found} metrics" in line.service
    assert line.usd > found * 0.3
    assert sum(each.usd for each in cost.monthly_lines()) == pytest.approx(cost.monthly())


def test_every_dimension_has_its_number_of_values() -> None:
    assert all(cost.values_of(name) >= 2 for name in DIMENSIONS.values())


def test_every_price_and_quota_has_a_source() -> None:
    found = load.facts()
    for kind in ("prices", "monthly", "quotas"):
        for name, each in found[kind].items():
            assert each["source"].startswith("https://"), name
    assert all(each["why"] for each in found["assumed"].values())


@pytest.mark.parametrize("rate", scenarios.RATES)
def test_the_changes_are_enough(rate: int) -> None:
    """And before them the load is what gives way, if a quota is asked for more than it has."""
    before = scenarios.needs(rate, scenarios.limits())
    assert (before[0].load > 1) == bool(scenarios.changes(rate))
    after = scenarios.sustained(rate, changed=True)
    assert after.rate(60) == pytest.approx(rate, rel=0.01)
    assert after.failed == 0


@pytest.mark.thorough
@pytest.mark.parametrize(("rate", "minutes"), outages.OUTAGES.items())
def test_without_webhooks_nothing_expires(rate: int, minutes: int) -> None:
    found = outages.outage(rate, minutes)
    assert len(found.waits) == rate * minutes * 60, "every end was found, once"
    assert found.expired == 0
    assert found.reads_a_minute < load.parameter("ProviderReadsPerMinute") * POLLERS_SHARE
    half = len(found.waits) // 2
    grown = found.longest_of(slice(half, None)) - found.longest_of(slice(0, half))
    assert grown < outages.SCHEDULE, "however long it lasts"


@pytest.mark.thorough
def test_one_question_each_would_fall_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulation can tell: so it was before the poller looked into the list."""
    monkeypatch.setattr(LookAhead, "__call__", lambda *_: {})
    found = outages.outage.__wrapped__(100, 5)
    half = len(found.waits) // 2
    assert found.longest_of(slice(half, None)) > 1.5 * found.longest_of(slice(0, half))


@pytest.mark.parametrize("jobs", scenarios.BURSTS)
def test_a_burst_waits_for_the_provider_and_does_not_fail(jobs: int) -> None:
    course = scenarios.burst(jobs)
    assert course.failed == 0
    assert sum(course.finished) == pytest.approx(jobs)


def test_without_the_changes_the_provider_sets_the_pace() -> None:
    assert scenarios.sustained(100, changed=False).rate(60) == pytest.approx(10, rel=0.01)
