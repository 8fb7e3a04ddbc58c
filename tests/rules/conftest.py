"""Tests of the rules with Prometheus itself; `make test-rules` runs only this folder."""

import shutil
from pathlib import Path

import pytest
import yaml

from testkit.monitoring import rule_groups

RULE_TESTS = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Prometheus's programs, without which nothing here can be tested."""
    missing = [name for name in ("promtool", "prometheus") if shutil.which(name) is None]
    assert not missing, f"{missing} not found; on Debian: apt-get install prometheus"


@pytest.fixture
def rules_folder(tmp_path: Path) -> Path:
    """A folder with the rules in Prometheus's own format, `rules.yaml`, and their tests."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule_groups()))
    for path in RULE_TESTS.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    return tmp_path
