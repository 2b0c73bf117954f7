"""A provider in virtual time that takes so many creations a minute."""

from dataclasses import dataclass, field


@dataclass
class Provider:
    """Replicate's limit, changed at the moments of `regimes`: (from second, a minute, at once). During
    `storms` (from, until) it refuses everything."""

    regimes: list[tuple[float, int, int]]
    storms: list[tuple[float, float]] = field(default_factory=list)
    tokens: float = 0.0
    at: float = 0.0
    accepted: list[float] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.tokens = float(self.regimes[0][2])

    def create(self, now: float) -> float:
        """0 when it was accepted, else the seconds to wait."""
        since, rate, burst = [regime for regime in self.regimes if regime[0] <= now][-1]
        self.tokens = min(burst, self.tokens + (now - max(self.at, since)) * rate / 60)
        self.at = now
        storm = any(start <= now < end for start, end in self.storms)
        if storm or self.tokens < 1:
            self.refused += 1
            return 1.0 if storm else max(1.0, (1 - self.tokens) * 60 / rate)
        self.tokens -= 1
        self.accepted.append(now)
        return 0.0

    def allowed(self, until: float) -> float:
        """How many it would have taken by then at its rate, without what it takes at once."""
        ends = [start for start, _, _ in self.regimes[1:]] + [until]
        total = 0.0
        for (start, rate, _), end in zip(self.regimes, ends, strict=True):
            lost = sum(
                max(0.0, min(end, until, stop) - max(start, begin)) for begin, stop in self.storms
            )
            total += (max(0.0, min(end, until) - start) - lost) * rate / 60
        return total
