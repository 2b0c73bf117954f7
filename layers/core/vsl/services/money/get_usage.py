"""Jobs and money by day, user, model and media type."""

from collections.abc import Mapping
from dataclasses import dataclass

from vsl.domain.money.usage import UsageReport, UsageRequest
from vsl.services.ports.money import MoneyQueries
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class GetUsage:
    queries: MoneyQueries
    clock: Clock

    def __call__(self, query: Mapping[str, str], user_id: str | None) -> UsageReport:
        """`user_id` None: of all users. Raises InvalidRequest."""
        asked = UsageRequest.parse(query, user_id, self.clock.now())
        return UsageReport(asked, self.queries.usage(asked))
