"""Alarms and dashboard: what they name is emitted, and what goes off has a runbook."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from devstack.template import load_template
from tests.support.template import REPOSITORY, template
from vsl.runtime.observability import DIMENSIONS, METRICS, NAMESPACE

RESOURCES: dict[str, Any] = template()["Resources"]
ALARMS = {n: r for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
SUBSTITUTED = re.compile(r"\$\{([A-Za-z:.0-9]+)\}")


def dashboard() -> str:
    loaded = load_template(REPOSITORY / "template.yaml")
    text: str = loaded["Resources"]["OperationsDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return text


def metrics_of(alarm: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    properties = alarm["Properties"]
    if "MetricName" in properties:
        yield properties["Namespace"], properties["MetricName"], properties.get("Dimensions", [])
    for query in properties.get("Metrics", ()):
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            yield metric["Namespace"], metric["MetricName"], metric["Dimensions"]


def recorded() -> set[str]:
    """Names the code hands to count, seconds and record, and those of a table it looks them up in."""
    found: set[str] = set()
    for path in (REPOSITORY / "layers/core/vsl/services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found & set(METRICS)


def test_every_metric_is_recorded_somewhere() -> None:
    assert set(METRICS) - recorded() == set()


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_what_is_emitted(name: str) -> None:
    watched = list(metrics_of(ALARMS[name]))
    assert watched
    for namespace, metric, dimensions in watched:
        if namespace == NAMESPACE:
            assert metric in METRICS
            assert dimensions[0] == {"Name": "stage", "Value": {"Ref": "Stage"}}
            more = [each["Name"] for each in dimensions[1:]]
            assert more in ([], [DIMENSIONS.get(metric)])
        else:
            assert namespace.startswith("AWS/")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_links_its_runbook(name: str) -> None:
    headings = re.findall(
        r"^#+ (.+)$", (REPOSITORY / "docs/operations.md").read_text(), re.MULTILINE
    )
    anchors = {re.sub(r"[^a-z0-9 -]", "", text.lower()).replace(" ", "-") for text in headings}
    description = ALARMS[name]["Properties"]["AlarmDescription"]["Fn::Sub"]
    link = re.search(r"\$\{RunbookUrl\}#([a-z0-9-]+)$", description)
    assert link is not None
    assert link[1] in anchors
    assert f"`{name}`" in (REPOSITORY / "docs/operations.md").read_text()


def test_an_alarm_tells_somebody_also_when_it_is_over() -> None:
    for alarm in ALARMS.values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmsTopic"}]
        assert alarm["Properties"]["OKActions"] == [{"Ref": "AlarmsTopic"}]


def test_every_queue_for_what_failed_is_watched() -> None:
    targets = set(re.findall(r"'Fn::GetAtt': '(\w+Queue)\.QueueName'", str(ALARMS)))
    targets |= set(re.findall(r"'Fn::GetAtt': \['(\w+Queue)', 'QueueName'\]", str(ALARMS)))
    dead = set(
        re.findall(
            r"'(?:Arn|deadLetterTargetArn)': {'Fn::GetAtt': '?\[?'?(\w+Queue)", str(RESOURCES)
        )
    )
    assert len(dead) >= 2
    assert dead <= targets


def test_the_dashboard_shows_what_there_is() -> None:
    text = dashboard()
    for name in SUBSTITUTED.findall(text):
        logical, _, _ = name.partition(".")
        known = RESOURCES.keys() | template()["Parameters"].keys() | {"AWS::Region"}
        assert logical in known, name
    widgets = json.loads(text)["widgets"]
    shown = {
        row[1]
        for widget in widgets
        for row in widget["properties"].get("metrics", ())
        if isinstance(row[0], str) and row[0] == NAMESPACE
    }
    shown |= set(re.findall(r'MetricName=\\"(\w+)\\"', text))
    assert shown <= set(METRICS)
    assert len(shown) >= 15
    (alarms,) = (w["properties"]["alarms"] for w in widgets if w["type"] == "alarm")
    assert set(alarms) == {f"${{{name}.Arn}}" for name in ALARMS}


def test_the_dashboard_asks_by_dimensions_there_are() -> None:
    asked = 0
    for name, by in re.findall(r'{VSL,stage,(\w+)}[^"]*MetricName=\\"(\w+)\\"', dashboard()):
        assert DIMENSIONS[by] == name
        asked += 1
    for widget in json.loads(dashboard())["widgets"]:
        for row in widget["properties"].get("metrics", ()):
            if isinstance(row[0], str) and row[0] == NAMESPACE:
                names = [each for each in row[2:] if isinstance(each, str)][::2]
                assert names in (["stage"], ["stage", DIMENSIONS.get(row[1])])
    assert asked == dashboard().count("SEARCH(")
    assert asked == 2


def test_the_apis_metrics_are_the_free_ones() -> None:
    """Those by method are billed: five for each method of each route. Alarms and dashboard ask by stage."""
    for setting in RESOURCES["Api"]["Properties"]["MethodSettings"]:
        assert setting["MetricsEnabled"] is False
    for widget in json.loads(dashboard())["widgets"]:
        assert '"Method"' not in json.dumps(widget)


def test_the_pollers_alarm_waits_for_its_first_run() -> None:
    """Missing data is breaching from the first minute on, before there can be any. An alarm begins with
    too little data, and tells when it comes back to that."""
    alarm = ALARMS["PollerSilentAlarm"]["Properties"]
    assert alarm["TreatMissingData"] == "missing"
    assert alarm["InsufficientDataActions"] == [{"Ref": "AlarmsTopic"}]
    breaching = [n for n, a in ALARMS.items() if a["Properties"]["TreatMissingData"] == "breaching"]
    assert breaching == []


def test_widgets_do_not_lie_upon_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in json.loads(dashboard())["widgets"]:
        place = {
            (widget["x"] + column, widget["y"] + row)
            for column in range(widget["width"])
            for row in range(widget["height"])
        }
        assert max(x for x, _ in place) < 24
        assert not taken & place
        taken |= place
