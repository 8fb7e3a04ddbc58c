"""Alerts and dashboard fit the documents and the metrics that the services have."""

from typing import Any

import pytest

from testkit.markdown import leads_somewhere, section, table_rows
from testkit.monitoring import (
    alerts,
    metrics_in,
    panel_expressions,
    panels,
    recorded_names,
    rule_expressions,
)
from tooling.project import ROOT

OPERATIONS = ROOT / "docs" / "operations"
ALERTS = (OPERATIONS / "alerts.md").read_text()
METRICS = section((OPERATIONS / "observe.md").read_text(), "## Metrics")
# What Prometheus and prometheus-client know without the services' doing.
FOREIGN_METRICS = {
    "up",
    "process_cpu_seconds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}

every_alert = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))


@every_alert
def test_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    """Each alert leads to the entry with its name in docs/operations/alerts.md."""
    runbook = alert["annotations"]["runbook"]

    assert leads_somewhere(ROOT / "README.md", runbook)
    assert runbook.endswith(f"#{alert['alert'].lower()}")


@every_alert
def test_alert_says_how_bad_it_is(alert: dict[str, Any]) -> None:
    """Critical wakes somebody up, a warning waits for the morning; there is nothing else."""
    assert alert["labels"] == {"severity": alert["labels"]["severity"]}
    assert alert["labels"]["severity"] in ("critical", "warning")


def test_no_alert_is_documented_that_does_not_exist() -> None:
    """docs/operations/alerts.md has an entry for each alert, in the order of the rules."""
    headings = [line for line in ALERTS.splitlines() if line.startswith("## ")]

    assert headings == [f"## {alert['alert']}" for alert in alerts()]


@pytest.mark.parametrize("expression", [*rule_expressions(), *panel_expressions()])
def test_metrics_exist(expression: str) -> None:
    """Rules and dashboard query only documented metrics, and series that rules record."""
    documented = {row[0].strip("`") for row in table_rows(METRICS)}

    asked = metrics_in(expression)

    assert asked
    assert asked <= documented | FOREIGN_METRICS | recorded_names()


def test_panels_do_not_overlap() -> None:
    """No two panels of the dashboard share a place, and each has a number of its own."""
    places = [
        (x, y)
        for panel in panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in panels()}) == len(panels())
