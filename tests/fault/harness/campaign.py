"""Runs of scenarios with faults, what they found, and the figures that are printed at the end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.fault.harness.effects import Fault
from tests.fault.harness.invariants import INVARIANTS, Finding, check
from tests.fault.harness.rare_paths import paths_taken
from tests.fault.harness.world import Scenario, World

type Plan = Mapping[int, Fault]


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
        return self.judge(World(scenario, plan).run())

    def judge(self, world: World) -> World:
        """What a run has come to. Every fault of its plan must really have been injected."""
        scenario, plan = world.scenario, world.effects.plan
        self.cases += 1
        happened = {effect.number for effect, _ in world.effects.injected}
        findings: Iterable[Finding] = check(world)
        if gave_up(world):
            self.taken["gave up: a step ran into its time limit twice"] += 1
            findings = [finding for finding in findings if finding.invariant != "h"]
        if missing := set(plan) - happened:
            findings = [Finding("-", f"never injected: {sorted(missing)}"), *findings]
        self.injected.update(fault for _, fault in world.effects.injected)
        self.checked.update(INVARIANTS.keys())
        self.taken.update(paths_taken(world))
        self.ends.update(status for status, _ in world.statuses[-1:])
        self.failures += [
            f"{reproduction(scenario, plan)}  # {where(world)}: {finding}" for finding in findings
        ]
        return world

    def fault_free(self, scenario: Scenario) -> World:
        world = self.run(scenario, {})
        self.effects[scenario.name] = len(world.effects.done)
        return world

    def singles(self, scenario: Scenario) -> Iterator[tuple[int, Fault, World]]:
        """Every fault at every effect of the run without faults."""
        for effect in self.fault_free(scenario).effects.done:
            for fault in scenario.faults(effect):
                yield effect.number, fault, self.run(scenario, {effect.number: fault})

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


def reproduction(scenario: Scenario, plan: Plan) -> str:
    faults = " ".join(f"{number}:{fault.value}" for number, fault in sorted(plan.items()))
    return f".venv/bin/python -m tests.fault replay '{scenario.name}' {faults}".rstrip()


def gave_up(world: World) -> bool:
    """A step that is ended at its time limit is run once more, and no third time."""
    hung = [effect.actor for effect, fault in world.effects.injected if fault is Fault.HANG]
    return len(hung) > len(set(hung))


def where(world: World) -> str:
    return "; ".join(f"{fault.value} at {effect}" for effect, fault in world.effects.injected)
