"""Tell that budgets have reached 50, 80 or 100 per cent: each level once, as far as EventBridge lets us.

A level is written down by the transaction that reaches it, and stays there until it was told. Whoever
reaches it tells it; what is left over is told by the hourly repair.
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
        """How many were told."""
        alerts = self.alerts.unpublished()
        for alert in alerts:
            self.publisher.budget_reached(alert.document())
            self.metrics.count("BudgetReached", level=str(alert.level), of=alert.budget.of)
        if alerts:
            self.alerts.mark_published(alerts)
        return len(alerts)
