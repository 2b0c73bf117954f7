"""What the platform tells of the deployment as a whole."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from vsl.domain.api.health import Alarm, ApiFigures


class ServiceHealth(Protocol):
    """Every call raises StoreUnavailable while the platform does not answer."""

    def api(self, since: datetime, until: datetime) -> ApiFigures:
        """Of the requests of this time, as far as they are counted: some minutes behind."""
        ...

    def alarms(self) -> Sequence[Alarm]:
        """All alarms of the deployment, by name."""
        ...
