"""Budgets as users and operators ask for them, credits, the ledger, and what an estimate foresees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from tests.support.fakes import START, MemoryJobRepository, SteppedClock, StillQueue
from tests.support.jobs import make_job
from tests.support.memory_money import MemoryMoney
from tests.support.models import catalogue
from vsl.domain.api.caller import Caller
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.errors import (
    Forbidden,
    IdempotencyKeyReused,
    InvalidRequest,
    JobNotFound,
    StoreUnavailable,
)
from vsl.domain.money.budgets import STAGE, BudgetDefaults, FrozenModel, Movement, Period, owner_of
from vsl.domain.money.usage import UsageLine, UsageRequest
from vsl.services.money.estimate_job import EstimateJob
from vsl.services.money.foresee_admission import ForeseeAdmission
from vsl.services.money.get_budget import GetBudget
from vsl.services.money.get_budgets import GetBudgets
from vsl.services.money.get_ledger import GetLedger
from vsl.services.money.get_usage import GetUsage
from vsl.services.money.grant_credits import GrantCredits
from vsl.services.money.set_budget import SetBudget

USER = "user-1"
OPERATOR = Caller()
USERS = [Caller(subject=USER), Caller(named=USER)]
DOLLAR = 1_000_000


def faults(caught: pytest.ExceptionInfo[InvalidRequest]) -> set[str]:
    fields: Any = caught.value.details["fields"]
    return {fault["field"] for fault in fields}


@dataclass
class Queries:
    """PostgreSQL's answers, and what it was asked."""

    lines: Sequence[UsageLine] = ()
    moved: Sequence[Movement] = ()
    asked: list[UsageRequest] = field(default_factory=list)

    def usage(self, wanted: UsageRequest) -> Sequence[UsageLine]:
        self.asked.append(wanted)
        return self.lines

    def movements(self, job_id: str) -> Sequence[Movement]:
        return [each for each in self.moved if each.job_id == job_id]


@dataclass
class Freezes:
    models: Sequence[FrozenModel] = ()

    def frozen(self) -> Sequence[FrozenModel]:
        return self.models

    def unfreeze(self, model_id: str) -> bool:
        raise NotImplementedError


class TestOwnBudget:
    def ask(self, money: MemoryMoney) -> dict[str, Any]:
        return GetBudget(money, SteppedClock())(USER)

    def test_without_any_limit_there_is_what_was_spent(self) -> None:
        answer = self.ask(MemoryMoney())
        assert answer["userId"] == USER
        assert [each["period"] for each in answer["budgets"]] == ["day", "month"]
        assert answer["budgets"][0] == {
            "of": "user", "userId": USER, "period": "day", "limit": None, "spent": "0", "held": "0",
            "left": None, "resetsAt": "2026-03-02T00:00:00.000Z", "own": False,
        }  # fmt: skip
        assert answer["canStart"] is True

    def test_a_limit_of_its_own_is_told_from_the_default(self) -> None:
        money = MemoryMoney(BudgetDefaults(user_day=DOLLAR, user_month=5 * DOLLAR))
        money.set_limit(owner_of(USER), Period.DAY, 2 * DOLLAR)
        day, month = self.ask(money)["budgets"]
        assert (day["limit"], day["left"], day["own"]) == ("2", "2", True)
        assert (month["limit"], month["own"]) == ("5", False)

    def test_total_and_credit_are_there_where_they_count(self) -> None:
        money = MemoryMoney()
        money.set_limit(owner_of(USER), Period.TOTAL, DOLLAR)
        money.grant("key", USER, DOLLAR)
        periods = [each["period"] for each in self.ask(money)["budgets"]]
        assert periods == ["day", "month", "total", "credit"]

    @pytest.mark.parametrize("owner", [owner_of(USER), STAGE])
    def test_what_is_full_starts_nothing(self, owner: str) -> None:
        money = MemoryMoney()
        money.hold(make_job(at=START))
        held = money.accounts[STAGE].held
        assert held > 0
        money.set_limit(owner, Period.DAY, held + 1)
        assert self.ask(money)["canStart"] is True
        money.set_limit(owner, Period.DAY, held)
        assert self.ask(money)["canStart"] is False

    def test_the_deployments_own_figures_are_not_shown(self) -> None:
        money = MemoryMoney(BudgetDefaults(stage_day=0))
        answer = self.ask(money)
        assert answer["canStart"] is False
        assert {each["of"] for each in answer["budgets"]} == {"user"}

    def test_who_has_to_prepay_and_has_nothing(self) -> None:
        answer = self.ask(MemoryMoney(BudgetDefaults(prepaid=True)))
        assert answer["budgets"][-1]["limit"] == "0"
        assert answer["canStart"] is False


class TestOperatorsBudgets:
    def put(self, money: MemoryMoney, owner: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return SetBudget(money, SteppedClock())(owner, body, OPERATOR)

    @pytest.mark.parametrize("who", USERS)
    def test_a_user_is_refused(self, who: Caller) -> None:
        money = MemoryMoney()
        asks: tuple[Callable[[], object], ...] = (
            lambda: GetBudgets(money, SteppedClock())(USER, who),
            lambda: SetBudget(money, SteppedClock())(USER, {"period": "day", "limit": "9"}, who),
            lambda: GrantCredits(money)("key", {"userId": USER, "amount": "9"}, who),
            lambda: GetLedger(Queries(), MemoryJobRepository())("x", who),
        )
        for ask in asks:
            with pytest.raises(Forbidden):
                ask()
        assert money.accounts == {}

    @pytest.mark.parametrize(
        ("owner", "named"),
        [(STAGE, {"of": STAGE}), (USER, {"of": "user", "userId": USER})],
    )
    def test_a_limit_is_set_and_taken_away(self, owner: str, named: dict[str, str]) -> None:
        money = MemoryMoney(BudgetDefaults(user_day=7, stage_day=7))
        answer = self.put(money, owner, {"period": "day", "limit": "0.021"})
        assert named.items() <= answer.items()
        assert [each["period"] for each in answer["budgets"]] == ["day", "month", "total"]
        assert (answer["budgets"][0]["limit"], answer["budgets"][0]["own"]) == ("0.021", True)
        answer = self.put(money, owner, {"period": "day", "limit": None})
        assert (answer["budgets"][0]["limit"], answer["budgets"][0]["own"]) == ("0.000007", False)
        assert GetBudgets(money, SteppedClock())(owner, OPERATOR) == answer

    def test_a_closed_budget_starts_nothing(self) -> None:
        assert not self.put(MemoryMoney(), USER, {"period": "total", "limit": "0"})["canStart"]

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({}, {"period", "limit"}),
            ({"period": "day"}, {"limit"}),
            ({"period": "credit", "limit": "1"}, {"period"}),
            ({"period": ["day"], "limit": "1"}, {"period"}),
            ({"period": "day", "limit": 1}, {"limit"}),
            ({"period": "day", "limit": "-1"}, {"limit"}),
            ({"period": "day", "limit": "1e3"}, {"limit"}),
            ({"period": "day", "limit": "0.0000001"}, {"limit"}),
            ({"period": "day", "limit": "1000000001"}, {"limit"}),
            ({"period": "week", "limit": "x", "more": 1}, {"period", "limit", "more"}),
        ],
    )
    def test_every_fault_is_named(self, body: dict[str, Any], named: set[str]) -> None:
        money = MemoryMoney()
        with pytest.raises(InvalidRequest) as caught:
            self.put(money, USER, body)
        assert faults(caught) == named
        assert money.accounts == {}

    @pytest.mark.parametrize("owner", ["", "-", "a b", "é", "user/1", "x" * 129])
    def test_no_possible_owner(self, owner: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            GetBudgets(MemoryMoney(), SteppedClock())(owner, OPERATOR)
        assert faults(caught) == {"owner"}

    def test_no_user_is_called_as_the_whole_deployment(self) -> None:
        with pytest.raises(InvalidRequest):
            Caller(named=STAGE)


class TestCredits:
    BODY: ClassVar = {"userId": USER, "amount": "12.50"}

    def test_a_repetition_adds_nothing_and_is_answered_alike(self) -> None:
        money = MemoryMoney()
        grant = GrantCredits(money)
        first = grant("key", self.BODY, OPERATOR)
        again = grant("key", self.BODY, OPERATOR)
        assert again.document == first.document == {"userId": USER, "amount": "12.5"}
        assert (first.replayed, again.replayed) == (False, True)
        assert money.accounts[owner_of(USER)].granted == 12_500_000

    @pytest.mark.parametrize("change", [{"amount": "12.51"}, {"userId": "user-2"}])
    def test_the_key_of_other_credits(self, change: dict[str, str]) -> None:
        grant = GrantCredits(MemoryMoney())
        grant("key", self.BODY, OPERATOR)
        with pytest.raises(IdempotencyKeyReused):
            grant("key", self.BODY | change, OPERATOR)

    @pytest.mark.parametrize("key", [None, "", "é", "a\nb", "x" * 256])
    def test_a_key_is_required(self, key: str | None) -> None:
        with pytest.raises(InvalidRequest) as caught:
            GrantCredits(MemoryMoney())(key, self.BODY, OPERATOR)
        assert faults(caught) == {"Idempotency-Key"}

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({}, {"userId", "amount"}),
            ({"userId": STAGE, "amount": "1"}, {"userId"}),
            ({"userId": USER, "amount": "0"}, {"amount"}),
            ({"userId": USER, "amount": "-5"}, {"amount"}),
            ({"userId": USER, "amount": 5}, {"amount"}),
            ({"userId": USER, "amount": "5", "note": ""}, {"note"}),
        ],
    )
    def test_every_fault_is_named(self, body: dict[str, Any], named: set[str]) -> None:
        with pytest.raises(InvalidRequest) as caught:
            GrantCredits(MemoryMoney())("key", body, OPERATOR)
        assert faults(caught) == named


@pytest.mark.parametrize("user_id", [None, USER])
def test_usage_is_of_whom_the_caller_may_see(user_id: str | None) -> None:
    queries = Queries([UsageLine({"modelId": "m"}, 1, 1, 1, 0, 0)])
    report = GetUsage(queries, SteppedClock())({"by": "modelId"}, user_id)
    (asked,) = queries.asked
    assert (asked.user_id, asked.last) == (user_id, START.date())
    assert report.document()["total"]["jobs"] == 1


class TestLedger:
    def test_the_movements_of_a_job(self) -> None:
        job = make_job()
        moved = Movement(7, job.job_id, "hold", job.job_id, "invoice:u", "held:u", 3_000, START)
        answer = GetLedger(Queries(moved=[moved]), MemoryJobRepository())(job.job_id, OPERATOR)
        assert answer["jobId"] == job.job_id
        assert answer["movements"] == [
            {
                "entry": 7, "movement": "hold", "subject": job.job_id, "jobId": job.job_id,
                "from": "invoice:u", "to": "held:u", "amount": "0.003",
                "at": "2026-03-01T12:00:00.000Z",
            }
        ]  # fmt: skip

    @pytest.mark.parametrize("job_id", ["nothing", make_job("another").job_id])
    def test_a_job_that_never_was(self, job_id: str) -> None:
        with pytest.raises(JobNotFound):
            GetLedger(Queries(), MemoryJobRepository())(job_id, OPERATOR)

    def test_the_job_has_to_be_named(self) -> None:
        with pytest.raises(InvalidRequest) as caught:
            GetLedger(Queries(), MemoryJobRepository())(None, OPERATOR)
        assert faults(caught) == {"jobId"}


class TestEstimate:
    def ask(
        self,
        money: MemoryMoney,
        user_id: str | None = USER,
        freezes: Freezes | None = None,
        model_id: str = "flux-schnell",
        queue: StillQueue | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:
        foresee = ForeseeAdmission(money, freezes or Freezes(), SteppedClock())
        body = {"parameters": {"prompt": "a fox", **parameters}}
        return EstimateJob(catalogue(), False, foresee, queue or StillQueue(), SteppedClock())(
            model_id, body, user_id
        )

    def test_what_would_be_held_is_the_price_where_that_is_fixed(self) -> None:
        answer = self.ask(MemoryMoney(), num_outputs=2)
        assert (answer["estimatedCost"], answer["wouldHold"]) == ("0.006", "0.006")
        assert (answer["admitted"], answer["refusedBy"]) == (True, None)

    def test_it_is_more_than_the_estimate_where_time_is_paid_for(self) -> None:
        (model_id, *_) = [
            model.model_id
            for model in catalogue().models.values()
            if model.price and model.price.unit == "gpu_second"
        ]
        model = catalogue().find(model_id)
        foresee = ForeseeAdmission(MemoryMoney(), Freezes(), SteppedClock())
        answer = EstimateJob(catalogue(), False, foresee, StillQueue(), SteppedClock())(
            model_id, {"parameters": dict(model.example)}, USER
        )
        times = Decimal(answer["wouldHold"]) / Decimal(str(answer["estimatedCost"]))
        assert model.price
        assert times == model.price.hold > 1

    @pytest.mark.parametrize("allowed", [True, False])
    def test_a_model_without_a_price_has_no_estimate(self, *, allowed: bool) -> None:
        priced = catalogue().find("flux-schnell")
        bare = Catalogue({"bare": priced.model_copy(update={"price": None, "model_id": "bare"})})
        money = MemoryMoney(BudgetDefaults(unpriced=allowed))
        foresee = ForeseeAdmission(money, Freezes(), SteppedClock())
        answer = EstimateJob(bare, False, foresee, StillQueue(), SteppedClock())(
            "bare", {"parameters": {"prompt": "p"}}, USER
        )
        assert (answer["estimatedCost"], answer["wouldHold"]) == (None, "0")
        refused = None if allowed else {"of": "unpriced", "modelId": "bare"}
        assert (answer["admitted"], answer["refusedBy"]) == (allowed, refused)

    @pytest.mark.parametrize(
        ("depth", "away", "place"),
        [
            (0, False, (0, "2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.000Z")),
            (12, False, (13, "2026-03-01T12:01:00.000Z", "2026-03-01T12:02:00.000Z")),
            (0, True, (None, None, None)),
        ],
        ids=["free", "busy", "unknown"],
    )
    def test_it_says_how_long_a_job_submitted_now_would_wait(
        self, depth: int, away: bool, place: tuple[object, ...]
    ) -> None:
        queue = StillQueue(depth, 60.0 if depth else 0.0)
        queue.away = away
        answer = self.ask(MemoryMoney(), queue=queue)
        told = ("queuePosition", "estimatedStart", "estimatedStartLatest")
        assert tuple(answer[name] for name in told) == place

    def test_the_priority_whose_wait_is_asked_for_must_be_one(self) -> None:
        estimate = EstimateJob(
            catalogue(),
            False,
            ForeseeAdmission(MemoryMoney(), Freezes(), SteppedClock()),
            StillQueue(),
            SteppedClock(),
        )
        body = {"parameters": {"prompt": "a fox"}, "priority": "soon"}
        with pytest.raises(InvalidRequest) as caught:
            estimate("flux-schnell", body, USER)
        assert faults(caught) == {"priority"}

    def test_without_a_user_the_budgets_are_not_asked(self) -> None:
        answer = self.ask(MemoryMoney(BudgetDefaults(stage_day=0)), None)
        assert (answer["admitted"], answer["refusedBy"]) == (None, None)

    @pytest.mark.parametrize("owner", [owner_of(USER), STAGE])
    def test_the_budget_without_room_is_named(self, owner: str) -> None:
        money = MemoryMoney()
        money.set_limit(owner, Period.MONTH, 5_999)
        assert self.ask(money)["admitted"] is True
        answer = self.ask(money, num_outputs=2)
        assert answer["admitted"] is False
        refused_by = answer["refusedBy"]
        named = {"period": "month", "resetsAt": "2026-04-01T00:00:00.000Z"}
        figures = {"limit": "0.005999", "spent": "0", "held": "0", "left": "0.005999"}
        assert refused_by == named | (
            {"of": "stage"} if owner == STAGE else {"of": "user", "userId": USER, **figures}
        )

    def test_the_users_budget_is_named_before_the_stages(self) -> None:
        money = MemoryMoney(BudgetDefaults(user_day=0, stage_day=0))
        assert self.ask(money)["refusedBy"]["of"] == "user"

    def test_a_frozen_model_admits_nothing(self) -> None:
        frozen = FrozenModel("flux-schnell", "job", 1, 9, datetime(2026, 3, 1, tzinfo=UTC))
        answer = self.ask(MemoryMoney(), freezes=Freezes([frozen]))
        assert answer["admitted"] is False
        assert answer["refusedBy"] == {"of": "model", "modelId": "flux-schnell"}
        assert self.ask(MemoryMoney(), freezes=Freezes([frozen]), model_id="flux-dev")["admitted"]

    def test_the_price_is_told_while_the_store_is_away(self) -> None:
        class Away(MemoryMoney):
            def read(self, *_: object) -> Any:
                raise StoreUnavailable("PostgreSQL did not answer.")

        answer = self.ask(Away())
        assert answer["wouldHold"] == "0.003"
        assert (answer["admitted"], answer["refusedBy"]) == (None, None)
