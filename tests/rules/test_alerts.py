"""Each alert fires when it should and not when it should not, says promtool."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring import alerts

FILES = sorted(path.name for path in Path(__file__).parent.glob("*.yaml"))


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What promtool answers."""
    return subprocess.run(
        ["promtool", *arguments], cwd=folder, check=False, capture_output=True, text=True
    )


def expectations(alert: str) -> list[list[dict[str, Any]]]:
    """What the tests expect of an alert: each time a list of how it fires, empty if it does not."""
    tests = [
        test
        for name in FILES
        for test in yaml.safe_load((Path(__file__).parent / name).read_text())["tests"]
    ]
    rule_tests = [rule_test for test in tests for rule_test in test["alert_rule_test"]]
    return [test.get("exp_alerts", []) for test in rule_tests if test["alertname"] == alert]


def test_rules_are_well_formed(rules_folder: Path) -> None:
    """Prometheus would load the rules."""
    done = promtool("check", "rules", "rules.yaml", folder=rules_folder)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", FILES)
def test_alerts_fire_when_they_should(rules_folder: Path, file: str) -> None:
    """The tests of the rules pass, in which made-up series stand for good and bad times."""
    done = promtool("test", "rules", file, folder=rules_folder)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", [rule["alert"] for rule in alerts()])
def test_every_alert_is_tested_both_ways(alert: str) -> None:
    """The tests have a time at which the alert fires, and one at which it does not."""
    expected = expectations(alert)

    assert any(expected)
    assert not all(expected)
