"""The ways of a job that are tried with every fault. The model's limit is 300 s."""

from dataclasses import replace

from tests.fault.harness.catalogue import DEPLOYED, WRITER
from tests.fault.harness.replicate import Script
from tests.fault.harness.world import Scenario

_PA = "Prediction interrupted; please retry (code: PA)"

_SILENT = Script(start_webhooks=False, end_webhooks=False)
_ANY = frozenset({"succeeded", "failed", "canceled"})
_CANCEL = frozenset({"canceled", "succeeded"})

SCENARIOS = (
    Scenario("image"),
    Scenario("two outputs", Script(outputs=2)),
    # The model is done before the provider's answer to our POST is here.
    Scenario(
        "webhook before answer", Script(runs_for=0.3), holds=(("after replicate.create", 2.4),)
    ),
    Scenario("webhook before token", Script(runs_for=0.1, webhook_seconds=0.02, starts_after=0.01)),
    Scenario("no webhook", _SILENT),
    Scenario("text", Script(writes=True), model=WRITER),
    Scenario("deployment, no webhook", _SILENT, model=DEPLOYED),
    Scenario("no end webhook", Script(end_webhooks=False)),
    Scenario(
        "prediction fails",
        Script(errors=dict.fromkeys((1, 2), "NSFW content detected in the output.")),
        ends=frozenset({"failed"}),
    ),
    Scenario("money for one", budget=1.0),
    Scenario("interrupted, money for one", Script(errors={1: _PA}), budget=1.0),
    Scenario("no room in the budget", budget=0.99, ends=frozenset({"failed"})),
    Scenario("interrupted", Script(errors={1: _PA})),
    Scenario("interrupted, no webhook", replace(_SILENT, errors={1: _PA})),
    # Nobody knows what became of the submission, and for a while nobody can find out: it parks.
    Scenario("list away", replace(_SILENT, list_away=150.0)),
    Scenario("parked, never accepted", Script(lost=frozenset({1}), list_away=80.0)),
    Scenario(
        "parked, never accepted, canceled",
        Script(lost=frozenset({1}), list_away=80.0),
        cancel_at=(70.0,),
        ends=_CANCEL,
    ),
    Scenario("late in the list", replace(_SILENT, visible_after=30.0)),
    Scenario("never ends", Script(runs_for=10_000), ends=frozenset({"failed"})),
    Scenario(
        "never ends, no webhook", replace(_SILENT, runs_for=10_000), ends=frozenset({"failed"})
    ),
    Scenario(
        "never stops, no webhook",
        replace(_SILENT, runs_for=10_000, forgets_cancel_after=True),
        ends=frozenset({"failed"}),
    ),
    # Neither webhook nor poller for an hour and a half: the state's own time limit is the last resort.
    Scenario(
        "wait times out",
        replace(_SILENT, runs_for=2_500, forgets_cancel_after=True),
        polls_from=5_000.0,
        may_time_out=True,
        ends=frozenset({"succeeded", "failed"}),
    ),
    # Three jobs that ask for the same, and a busy account: whose prediction is whose?
    Scenario("three at once", Script(strangers=40, stranger_every=0.05), companions=2, budget=3.0),
    Scenario(
        "two at once, nothing tells",
        replace(_SILENT, strangers=6, stranger_every=0.3, lost=frozenset({1})),
        companions=1,
        apart=1.0,
    ),
    # Its answer is lost, and until the grace period is over the list cannot be read.
    Scenario(
        "lost among others",
        replace(_SILENT, list_away=150.0, strangers=70, stranger_every=0.4),
        holds=(("after replicate.create", 70.0),),
    ),
    Scenario(
        "never accepted, among others",
        Script(lost=frozenset({1}), list_away=80.0, strangers=70, stranger_every=0.4),
    ),
    # The output is being stored, past the deadline, when a duplicate brings the job back to the poller.
    Scenario(
        "duplicate while it stores",
        Script(runs_for=280.0, twin_ends_at=500.0),
        outages={"s3": (270.0, 645.0)},
        late=True,
    ),
    # A deployment in the middle: the items were written by the version before.
    *(Scenario(f"older item at {at} s", older_at=at) for at in (0.42, 2.0, 5.0)),
    Scenario(
        "older item, lost among others",
        replace(_SILENT, list_away=100.0, strangers=6, stranger_every=0.4),
        holds=(("after replicate.create", 70.0),),
        older_at=95.0,
    ),
    Scenario("older item, late duplicate", Script(twin_ends_at=40.0), older_at=20.0),
    # The provider takes one in ten seconds: the second and the third wait for their turn.
    Scenario("waits for a slot", companions=2, creations_per_minute=6),
    Scenario("waits for a slot, no webhook", _SILENT, companions=1, creations_per_minute=6),
    Scenario("throttled again and again", Script(throttled=(8.0, 3.0, 9.0))),
    Scenario(
        "throttled, others wait", Script(throttled=(5.0, 4.0)), companions=2, creations_per_minute=6
    ),
    # A repetition takes a slot as well, behind or before others.
    Scenario(
        "interrupted, others wait",
        Script(errors={1: _PA}),
        companions=2,
        creations_per_minute=6,
    ),
    Scenario(
        "Redis emptied while jobs wait", companions=2, creations_per_minute=6, redis_emptied_at=4.0
    ),
    Scenario(
        "canceled while it waits for a slot",
        Script(throttled=(30.0,)),
        cancel_at=(5.0,),
        ends=_CANCEL,
    ),
    Scenario(
        "stopped while it waits for a slot", Script(throttled=(30.0,)), stop_at=5.0, ends=_ANY
    ),
    *(
        Scenario(f"canceled at {at} s", cancel_at=(at,), ends=_CANCEL)
        for at in (0.25, 0.33, 0.43, 0.47, 2.0, 4.75, 4.9, 5.25)
    ),
    Scenario("canceled twice, no webhook", _SILENT, cancel_at=(2.0, 2.01), ends=_CANCEL),
    Scenario("canceled, interrupted", Script(errors={1: _PA}), cancel_at=(5.0,), ends=_ANY),
    *(
        Scenario(f"stopped at {at} s", stop_at=at, ends=_ANY)
        for at in (0.1, 0.3, 0.45, 2.0, 4.95, 5.3)
    ),
    *(
        Scenario(f"stopped at {at} s, no webhook", _SILENT, stop_at=at, ends=_ANY)
        for at in (0.41, 0.47)
    ),
)

# A store is away while jobs run: they wait, and then they are done.
OUTAGES = (
    Scenario("PostgreSQL away for two minutes", outages={"postgresql": (2.0, 122.0)}),
    Scenario("Redis away", outages={"redis": (0.0, 10_000.0)}),
    Scenario("DynamoDB throttled while it submits", outages={"dynamodb": (0.3, 20.3)}),
    Scenario("DynamoDB throttled while it stores", outages={"dynamodb": (4.7, 64.7)}),
    Scenario("S3 throttled for two minutes", outages={"s3": (2.0, 122.0)}),
    Scenario("provider away while it submits", outages={"replicate": (0.3, 20.3)}),
    Scenario("provider away for half a minute", outages={"replicate": (1.0, 31.0)}),
)


def scenario(name: str) -> Scenario:
    return next(found for found in SCENARIOS if found.name == name)


# Jobs that wait for a slot at the provider, in every way.
PACING = tuple(
    scenario(name)
    for name in (
        "waits for a slot",
        "waits for a slot, no webhook",
        "throttled again and again",
        "throttled, others wait",
        "interrupted, others wait",
        "Redis emptied while jobs wait",
        "canceled while it waits for a slot",
        "stopped while it waits for a slot",
    )
)

# What every run of the tests goes through; `make faults` takes all.
CORE = tuple(
    scenario(name)
    for name in (
        "image",
        "webhook before answer",
        "no webhook",
        "text",
        "deployment, no webhook",
        "interrupted, money for one",
        "no room in the budget",
        "parked, never accepted",
        "waits for a slot",
        "wait times out",
        "canceled at 2.0 s",
        "canceled at 4.9 s",
        "stopped at 2.0 s",
    )
)
