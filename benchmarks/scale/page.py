"""docs/cost-and-scale.md out of the prices, the template, the counted work and cost-and-scale.md.in."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.scale.cost import (
    Reading,
    lines,
    long_polls,
    looks,
    monthly,
    provider,
)
from benchmarks.scale.load import facts, job_seconds, work
from benchmarks.scale.quotas import TICK, Course
from benchmarks.scale.scenarios import BURSTS, RATES, burst, changes, limits, needs, sustained
from tests.support.template import REPOSITORY

PAGE = REPOSITORY / "docs" / "cost-and-scale.md"
WORDS = Path(__file__).with_name("cost-and-scale.md.in")
_LAST = 60


def write_page() -> None:
    PAGE.write_text(page())


def page() -> str:
    """The words, with each `{{name}}` replaced by what is reckoned here."""
    text = WORDS.read_text()
    parts: dict[str, Callable[[], str]] = {
        "cost": _cost,
        "work": _work,
        "reading": _reading,
        "monthly": _monthly,
        "load": _load,
        "sustained": _sustained,
        "changes": _changes,
        "bursts": _bursts,
        "prices": _prices,
        "quotas": _quotas,
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
    rows = []
    size = facts()["jobs"]["image"]["megabytes"]
    for where, calls in (
        ("generate_media", work().door),
        ("media_job", work().steps),
        ("webhooks", work().webhooks),
    ):
        rows += [
            [
                where,
                f"`{call.function}`",
                f"{call.megabytes} MB",
                f"{call.seconds(size) * 1000:.0f} ms",
            ]
            for call in calls
        ]
    return _table(["in", "function", "memory", "billed"], rows)


def _reading() -> str:
    def cell(found: Reading) -> str:
        return f"{found.requests:g} x, {_usd(found.usd)}"

    rows = []
    for kind, job in facts()["jobs"].items():
        seconds = job_seconds(job["model"])
        rows.append([f"{kind}, {seconds:g} s", cell(long_polls(kind)), cell(looks(kind))])
    return _table(["a job's run", "`?wait=25`, again and again", "a look every 10 s"], rows)


def _monthly() -> str:
    rows = [[name, _usd(each["usd"])] for name, each in facts()["monthly"].items()]
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
    return _table(
        ["jobs in one moment", "succeed", "fail with `ProviderThrottled`", "until the last"], rows
    )


def _prices() -> str:
    found = facts()
    rows = [
        [f"${each['usd']:.10f}".rstrip("0").rstrip("."), each["per"], f"<{each['source']}>"]
        for each in found["prices"].values()
    ]
    rows += [
        [_usd(each["usd"]), f"month: {name}", f"<{each['source']}>"]
        for name, each in found["monthly"].items()
    ]
    return _table(["price", "for a", "source"], rows)


def _quotas() -> str:
    rows = [
        [each["label"], f"{each['slots']:,}", f"<{each['source']}>"]
        if "slots" in each
        else [
            each["label"],
            f"{each['burst']:,} at once, {each['perSecond']:,} a second",
            f"<{each['source']}>",
        ]
        for each in facts()["quotas"].values()
    ]
    return _table(["quota", "", "source"], rows)


def _assumed() -> str:
    rows = [[f"{each['value']:g}", each["why"]] for each in facts()["assumed"].values()]
    names = [_words(name) for name in facts()["assumed"]]
    return _table(
        ["assumed", "", "because"], [[name, *row] for name, row in zip(names, rows, strict=True)]
    )


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
