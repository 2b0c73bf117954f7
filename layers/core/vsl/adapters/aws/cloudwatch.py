"""CloudWatch: what API Gateway counts of the API, and the state of the deployment's alarms."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from vsl.adapters.aws import clients
from vsl.domain.api.health import Alarm, ApiFigures

_COUNTED = {"requests": "Count", "refused": "4XXError", "faults": "5XXError"}
# A long time is asked for by the hour: the answer has a thousand sums at most.
_FINE, _COARSE = timedelta(minutes=5), timedelta(hours=1)
_LONG = timedelta(days=3)


class CloudWatchHealth:
    """Implements `services.ports.health.ServiceHealth`."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def api(self, since: datetime, until: datetime) -> ApiFigures:
        period = _COARSE if until - since > _LONG else _FINE
        sums = dict.fromkeys(_COUNTED, 0)
        with clients.translated("CloudWatch"):
            pages = (
                clients.client("cloudwatch")
                .get_paginator("get_metric_data")
                .paginate(
                    MetricDataQueries=[self._query(name, period) for name in _COUNTED],
                    StartTime=since,
                    EndTime=until,
                )
            )
            for page in pages:
                for found in page["MetricDataResults"]:
                    sums[found["Id"]] += int(sum(found["Values"]))
        return ApiFigures(**sums)

    def _query(self, name: str, period: timedelta) -> dict[str, Any]:
        dimensions = {"ApiName": f"vsl-{self._stage}", "Stage": self._stage}
        metric = {
            "Namespace": "AWS/ApiGateway",
            "MetricName": _COUNTED[name],
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        }
        stat = {"Metric": metric, "Period": int(period.total_seconds()), "Stat": "Sum"}
        return {"Id": name, "MetricStat": stat}

    def alarms(self) -> Sequence[Alarm]:
        prefix = f"vsl-{self._stage}-"
        with clients.translated("CloudWatch"):
            pages = (
                clients.client("cloudwatch")
                .get_paginator("describe_alarms")
                .paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
            )
            found = [
                Alarm.described(
                    each["AlarmName"].removeprefix(prefix),
                    each["StateValue"],
                    each.get("AlarmDescription", ""),
                )
                for page in pages
                for each in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
            ]
        return sorted(found, key=lambda alarm: alarm.name)
