"""docs/cost-and-scale.md out of the prices, the template, the counted work and cost-and-scale.md.in."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.scale.cost import (
    Reading,
    authorization,
    by_method,
    lines,
    long_polls,
    looks,
    monthly,
    monthly_lines,
    price,
    provider,
    views,
)
from benchmarks.scale.load import architecture, facts, job_seconds, megabytes, parameter, work
from benchmarks.scale.outage import OUTAGES, outage
from benchmarks.scale.quotas import TICK, Course
from benchmarks.scale.scenarios import BURSTS, RATES, burst, changes, limits, needs, sustained
from tests.support.template import REPOSITORY

PAGE = REPOSITORY / "docs" / "cost-and-scale.md"
WORDS = Path(__file__).with_name("cost-and-scale.md.in")
_LAST = 60


def write_page() -> None:
    PAGE.write_text(page())


def page() -> str:
    """The words, with each `{{name}}` replaced by what is calculated here."""
    text = WORDS.read_text()
    parts: dict[str, Callable[[], str]] = {
        "cost": _cost,
        "work": _work,
        "reading": _reading,
        "keys": _keys,
        "monthly": _monthly,
        "views": _views,
        "byMethod": lambda: _usd(by_method()),
        "load": _load,
        "sustained": _sustained,
        "changes": _changes,
        "bursts": _bursts,
        "outages": _outages,
        "queueHours": lambda: f"{parameter('QueueWaitSeconds') / 3600:g}",
        "queueJobs": _queue_jobs,
        "dispatcher": _dispatcher,
        "readsPerMinute": lambda: f"{parameter('ProviderReadsPerMinute'):,.0f}",
        "assumed": _assumed,
        "shareImage": lambda: _share("image"),
        "shareVideo": lambda: _share("video"),
        "read": lambda: str(facts()["read"]),
        "region": lambda: str(facts()["region"]),
    }
    for name, make in parts.items():
        text = text.replace(f"{{{{{name}}}}}", make())
    return text


def _cost() -> str:
    by_kind = {kind: {line.service: line for line in lines(kind)} for kind in facts()["jobs"]}
    rows = []
    for line in lines("image"):
        cells = [line.service]
        for kind in by_kind:
            each = by_kind[kind][line.service]
            cells += [each.what, _usd(each.usd)]
        rows.append(cells)
    sums = ["**AWS**"]
    bills = ["the provider, apart"]
    for kind, found in by_kind.items():
        own = sum(line.usd for line in found.values())
        sums += ["", f"**{_usd(own)}**"]
        bills += [f"`{facts()['jobs'][kind]['model']}`", _usd(provider(kind))]
    head = ["a million jobs, US dollars", "an image takes", "", "a video takes", ""]
    return _table(head, [*rows, sums, bills])


def _share(kind: str) -> str:
    """AWS beside the provider."""
    return f"{sum(line.usd for line in lines(kind)) / provider(kind):.1%}"


def _work() -> str:
    size = facts()["jobs"]["image"]["megabytes"]
    places: dict[tuple[str, ...], list[str]] = {}
    for where, calls in (
        ("generate_media", work().api_workflow),
        ("media_job", work().steps),
        ("webhooks", work().webhooks),
    ):
        for call in calls:
            billed = f"{call.seconds(size) * 1000:.0f} ms"
            cells = (f"`{call.function}`", f"{call.megabytes} MB", billed)
            places.setdefault(cells, []).append(where)
    rows = [[*cells, ", ".join(dict.fromkeys(where))] for cells, where in places.items()]
    return _table(["function", "memory", "billed", "in"], rows)


def _reading() -> str:
    def cell(found: Reading) -> str:
        return f"{found.requests:g} x, {_usd(found.usd)}"

    rows = []
    for kind, job in facts()["jobs"].items():
        seconds = job_seconds(job["model"])
        rows.append([f"{kind}, {seconds:g} s", cell(long_polls(kind)), cell(looks(kind))])
    return _table(["a job's run", "`?wait=25`, again and again", "a request every 10 s"], rows)


def _views() -> str:
    rows = []
    for kind, job in facts()["jobs"].items():
        found = views(kind)
        told = (found.presigned, found.cached, found.fetched)
        rows.append([f"{kind}, {job['megabytes']:g} MB", *map(_usd, told)])
    head = ["a million views of one", "`presigned`", "`cloudfront`, cached", "not cached"]
    return _table(head, rows)


def _keys() -> str:
    rows = []
    for kind in facts()["jobs"]:
        found = authorization(kind)
        at_once = (f"{found.executions(rate):.1f}" for rate in RATES)
        cells = [f"{found.requests:g}", f"{found.gigabyte_seconds:.3f}", _usd(found.usd), *at_once]
        rows.append([kind, *cells])
    head = ["a job", "executions", "GB-s", "a million jobs"]
    return _table([*head, *(f"at once, {rate:,} jobs/s" for rate in RATES)], rows)


def _monthly() -> str:
    rows = [[line.service, _usd(line.usd)] for line in monthly_lines()]
    return _table(["a month, however little is done", ""], [*rows, ["together", _usd(monthly())]])


def _load() -> str:
    by_rate = {rate: {need.quota: need for need in needs(rate, limits())} for rate in RATES}
    rows = []
    for need in needs(RATES[0], limits()):
        cells = [need.label, f"{need.limit:g}"]
        for rate in RATES:
            load = by_rate[rate][need.quota].load
            text = f"{load:.0%}" if load >= 0.1 else f"{load:.1%}"
            cells.append(f"**{text}**" if load > 1 else text)
        rows.append(cells)
    return _table(["quota", "allows", *(f"{rate:,} jobs/s" for rate in RATES)], rows)


def _sustained() -> str:
    rows = []
    for rate in RATES:
        before, after = sustained(rate, changed=False), sustained(rate, changed=True)
        rows.append([f"{rate:,}", *_course(before), f"{after.rate(_LAST):,.0f} a second"])
    return _table(
        [
            "jobs a second",
            "finished, as deployed",
            "held up first by",
            "then by",
            "after the changes",
        ],
        rows,
    )


def _course(course: Course) -> list[str]:
    order = sorted(course.short.items(), key=lambda each: each[1])
    told = [f"{_label(name)}, at {seconds:.0f} s" for name, seconds in order]
    first, others = (told[0], "; ".join(told[1:])) if told else ("nothing", "")
    return [f"{course.rate(_LAST):,.0f} a second", first, others]


def _changes() -> str:
    rows = [
        [f"{rate:,}", _label(name), change["how"]]
        for rate in RATES
        for name, change in changes(rate).items()
        if "how" in change
    ]
    return _table(["jobs a second", "quota", "what to do"], rows)


def _bursts() -> str:
    rows = []
    for jobs in BURSTS:
        course = burst(jobs)
        last = max(number for number, done in enumerate(course.finished) if done > 0.01)
        rows.append(
            [
                f"{jobs:,}",
                f"{sum(course.finished):,.0f}",
                f"{course.failed:,.0f}",
                f"{last * TICK:.0f} s",
            ]
        )
    return _table(["jobs in one moment", "succeed", "fail", "until the last ends"], rows)


def _queue_jobs() -> str:
    """How many the provider takes within the longest wait."""
    return f"{parameter('CreationsPerMinute') / 60 * parameter('QueueWaitSeconds'):,.0f}"


def _dispatcher() -> str:
    """An hour of its one run at a time."""
    second = price(f"lambdaSeconds.{architecture()}")
    return _usd(3600 * megabytes("dispatch_queue") / 1024 * second)


def _outages() -> str:
    rows = []
    for rate, minutes in OUTAGES.items():
        found = outage(rate, minutes)
        half = len(found.waits) // 2
        rows.append(
            [
                f"{rate:,}",
                f"{minutes} minutes",
                f"{len(found.waits):,}",
                f"{found.longest_of(slice(0, half)):.0f} s",
                f"{found.longest_of(slice(half, None)):.0f} s",
                f"{found.reads_a_minute:.0f}",
                f"{found.expired:,}",
            ]
        )
    return _table(
        [
            "jobs a second",
            "no webhook for",
            "ends found",
            "longest wait, first half",
            "second half",
            "requests to the provider a minute",
            "outputs expired",
        ],
        rows,
    )


def _assumed() -> str:
    """What each store takes for a request, on average."""
    milliseconds = {
        _words(name.removesuffix("Milliseconds")).strip(): f"{each['value']:g} ms"
        for name, each in facts()["assumed"].items()
        if name.endswith("Milliseconds")
    }
    return _table(list(milliseconds), [list(milliseconds.values())])


def _label(quota: str) -> str:
    name, _, function = quota.partition(":")
    label = str(limits()[name]["label"])
    return f"{label} (`{function}`)" if function else label


def _words(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name)


def _usd(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:,.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*text, *("| " + " | ".join(row) + " |" for row in rows)])
