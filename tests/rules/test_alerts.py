"""Tests with promtool that each alert fires when it should, and only then."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from testkit.monitoring import alerts

FILES = sorted(path.name for path in Path(__file__).parent.glob("*.yaml"))


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    return subprocess.run(
        ["promtool", *arguments], cwd=folder, check=False, capture_output=True, text=True
    )


def expectations(alert: str) -> list[list[dict[str, Any]]]:
    """The tests' expectations of an alert: for each time how it fires, empty if it does not."""
    tests = [
        test
        for name in FILES
        for test in yaml.safe_load((Path(__file__).parent / name).read_text())["tests"]
    ]
    rule_tests = [rule_test for test in tests for rule_test in test["alert_rule_test"]]
    return [test.get("exp_alerts", []) for test in rule_tests if test["alertname"] == alert]


def test_rules_are_well_formed(rules_folder: Path) -> None:
    """Prometheus can load the rules."""
    done = promtool("check", "rules", "rules.yaml", folder=rules_folder)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", FILES)
def test_alerts_fire_when_they_should(rules_folder: Path, file: str) -> None:
    """The rules pass their tests, which use made-up series for good and bad times."""
    done = promtool("test", "rules", file, folder=rules_folder)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", [rule["alert"] for rule in alerts()])
def test_every_alert_is_tested_both_ways(alert: str) -> None:
    """Each alert has a test in which it fires, and one in which it does not."""
    expected = expectations(alert)

    assert any(expected)
    assert not all(expected)
