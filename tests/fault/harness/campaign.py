"""Runs of scenarios with faults, what they found, and the figures that are printed at the end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.fault.harness.effects import RETRIED_AFTER, Effect, Fault
from tests.fault.harness.invariants import INVARIANTS, Finding, check
from tests.fault.harness.rare_paths import paths_taken
from tests.fault.harness.request_invariants import check_requests
from tests.fault.harness.requests import RequestScenario, RequestWorld
from tests.fault.harness.world import POLL_SECONDS, Scenario, World

type Plan = Mapping[int, Fault]

OF_REQUESTS = "lmn"
OF_EVERY_RUN = INVARIANTS.keys() - {"k", *OF_REQUESTS}


@dataclass
class Campaign:
    """`effects` are E by scenario, `checked` how often each invariant was asked."""

    effects: dict[str, int] = field(default_factory=dict)
    cases: int = 0
    injected: Counter[Fault] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def run(self, scenario: Scenario, plan: Plan) -> World:
        """One case."""
        if isinstance(scenario, RequestScenario):
            return self.judge(RequestWorld(scenario, plan).run())
        return self.judge(World(scenario, plan).run())

    def prompt(self, world: World, clean: World) -> None:
        """(k) An answer that was lost costs its repetition, and not a look a poll or a grace later."""
        self.checked["k"] += 1
        for run, before in zip(world.runs.values(), clean.runs.values(), strict=False):
            late = (run.ended_at or 0) - (before.ended_at or 0)
            if late > RETRIED_AFTER + POLL_SECONDS + 1:
                self.failures.append(
                    f"{reproduction(world.scenario, world.effects.plan)}  # {where(world)}:"
                    f" (k) ended {late:.1f} s later than without"
                )

    def judge(self, world: World) -> World:
        """What a run has come to. Every fault of its plan must really have been injected."""
        scenario, plan = world.scenario, world.effects.plan
        self.cases += 1
        happened = {effect.number for effect, _ in world.effects.injected}
        findings: Iterable[Finding] = (
            check_requests(world) if isinstance(world, RequestWorld) else check(world)
        )
        if gave_up(world):
            self.taken["gave up: a step ran into its time limit twice"] += 1
            findings = [finding for finding in findings if finding.invariant != "h"]
        if missing := set(plan) - happened:
            findings = [Finding("-", f"never injected: {sorted(missing)}"), *findings]
        self.injected.update(fault for _, fault in world.effects.injected)
        self.checked.update(OF_EVERY_RUN)
        if isinstance(world, RequestWorld):
            self.checked.update(OF_REQUESTS)
        if world.main.job.job_id in world.dynamodb.items:
            self.taken.update(paths_taken(world))
        self.ends.update(status for status, _ in world.main.statuses[-1:])
        self.failures += [
            f"{reproduction(scenario, plan)}  # {where(world)}: {finding}" for finding in findings
        ]
        return world

    def fault_free(self, scenario: Scenario) -> World:
        world = self.run(scenario, {})
        self.effects[scenario.name] = len(world.effects.done)
        return world

    def singles(self, scenario: Scenario, every: int = 1) -> Iterator[tuple[int, Fault, World]]:
        """Every fault at every effect of the run without faults; of long rows of the same, some.

        With `every`, only each so many-th of these cases.
        """
        clean = self.fault_free(scenario)
        cases = [
            (effect.number, fault)
            for effect in distinct(clean.effects.done)
            for fault in scenario.faults(effect)
        ]
        for number, fault in cases[::every]:
            world = self.run(scenario, {number: fault})
            # Which jobs wait when Redis is emptied depends on every delay before.
            if fault is Fault.RETRIED and scenario.redis_emptied_at is None:
                self.prompt(world, clean)
            yield number, fault, world

    def report(self) -> str:
        """The figures, as lines of text."""
        lines = ["effects of a job without faults (E):"]
        lines += [f"  {count:4d}  {name}" for name, count in self.effects.items()]
        lines.append(f"cases: {self.cases}")
        lines.append(
            "faults injected: " + ", ".join(f"{f.value} {n}" for f, n in self.injected.items())
        )
        lines.append("invariants checked:")
        lines += [
            f"  {self.checked[letter]:6d}  ({letter}) {text}" for letter, text in INVARIANTS.items()
        ]
        lines.append("rare paths taken:")
        lines += [f"  {count:6d}  {name}" for name, count in sorted(self.taken.items())]
        lines.append(f"violations: {len(self.failures)}")
        return "\n".join(lines)


def distinct(effects: Sequence[Effect]) -> Iterator[Effect]:
    """Of what one function does over and over, as when it reads a list, the first ten and every
    twentieth from then on."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for effect in effects:
        kind = (effect.actor, effect.store, effect.operation)
        seen[kind] += 1
        if seen[kind] <= 10 or seen[kind] % 20 == 0:
            yield effect


def reproduction(scenario: Scenario, plan: Plan) -> str:
    faults = " ".join(f"{number}:{fault.value}" for number, fault in sorted(plan.items()))
    return f".venv/bin/python -m tests.fault replay '{scenario.name}' {faults}".rstrip()


def gave_up(world: World) -> bool:
    """A step that is ended at its time limit is run once more, and no third time."""
    hung = [effect.actor for effect, fault in world.effects.injected if fault is Fault.HANG]
    return len(hung) > len(set(hung))


def where(world: World) -> str:
    return "; ".join(f"{fault.value} at {effect}" for effect, fault in world.effects.injected)
