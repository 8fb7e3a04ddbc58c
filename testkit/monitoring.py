"""Reading the alert rules and the dashboard of `deploy/kubernetes/components/monitoring`."""

import json
import re
from typing import Any

import yaml

from tooling.project import ROOT

FOLDER = ROOT / "deploy/kubernetes/components/monitoring"

# What Prometheus adds to the name of a metric.
_SUFFIX = re.compile("_(total|count|sum|bucket)$")
# A metric is followed by its labels; a recorded series, which has colons in its name, needs none.
_METRIC = re.compile(r"\w+:\w+:\w+|\w+(?={)")


def rule_groups() -> dict[str, Any]:
    """The rules in the form of Prometheus's own files: what its operator makes of the object."""
    rules: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["spec"]
    return rules


def alerts() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for rule in _rules() if "alert" in rule]


def recorded_names() -> set[str]:
    """The names of the series that rules record."""
    return {rule["record"] for rule in _rules() if "record" in rule}


def rule_expressions() -> list[str]:
    """The expression of every rule."""
    return [rule["expr"] for rule in _rules()]


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard, rows included."""
    dashboard: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    return list(dashboard["panels"])


def panel_expressions() -> list[str]:
    """The expression of everything that the dashboard shows, with the variables of Grafana."""
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


def metrics_in(expression: str) -> set[str]:
    """The metrics that an expression uses, as the services name them."""
    return {_SUFFIX.sub("", name) for name in _METRIC.findall(expression)}


def _rules() -> list[dict[str, Any]]:
    return [rule for group in rule_groups()["groups"] for rule in group["rules"]]
