"""Tell that budgets have reached 50, 80 or 100 per cent: each level once, as far as EventBridge lets us.

A level is written down by the transaction that reaches it, and stays there until it was published. The
request that reaches it publishes it; what is left over is published by the hourly repair.
"""

from dataclasses import dataclass

from vsl.services.ports.money import AlertPublisher, BudgetAlerts
from vsl.services.ports.system import Metrics


@dataclass(frozen=True, slots=True)
class PublishAlerts:
    alerts: BudgetAlerts
    publisher: AlertPublisher
    metrics: Metrics

    def __call__(self) -> int:
        """How many were published. The metric's value is the level: an alarm watches its maximum."""
        alerts = self.alerts.claim_unpublished()
        for alert in alerts:
            self.publisher.budget_reached(alert.document())
            self.alerts.mark_published(alert)
            self.metrics.record({"BudgetReached": alert.level}, of=alert.budget.of)
        return len(alerts)
