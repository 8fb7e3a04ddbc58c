"""With a real Prometheus and the real services, every panel of the dashboard shows something."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from local.ports import free_port
from local.process import Process
from local.stack import Stack, temporary_stack
from testkit.http_client import HttpClient
from testkit.monitoring import panel_expressions, rule_expressions, rule_groups
from testkit.system import System, system_of, unique
from testkit.waiting import wait_until
from tooling.readiness import is_ready

JOBS = {"thoughts": "thoughts-backend", "users": "users-backend", "frontend": "frontend"}
# The values with which Grafana replaces its variables.
VARIABLES = {"$namespace": "example", "$job": ".+", "$__rate_interval": "15s"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that collects metrics from a system in use."""
    folder = tmp_path_factory.mktemp("prometheus")
    with temporary_stack() as stack, running_prometheus(stack, folder) as url:
        use(system_of(stack))
        yield url


@contextmanager
def running_prometheus(stack: Stack, folder: Path) -> Iterator[str]:
    """Run Prometheus with the rules, and with the labels that metrics get in a cluster."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(rule_groups()))
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration(stack)))
    address = f"127.0.0.1:{free_port()}"
    options = {
        "config.file": folder / "prometheus.yaml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": address,
    }
    process = Process(
        "prometheus",
        ["prometheus", *(f"--{name}={value}" for name, value in options.items())],
        environment={"PATH": "/usr/local/bin:/usr/bin"},
        log_path=folder / "prometheus.log",
    )
    process.start()
    try:
        ready = partial(is_ready, f"http://{address}/-/ready")
        wait_until(ready, what="Prometheus serves")
        yield f"http://{address}"
    finally:
        process.stop()


def configuration(stack: Stack) -> dict[str, Any]:
    """Prometheus's configuration: scrape the three services every second."""
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {
                "job_name": JOBS[name],
                "static_configs": [
                    {"targets": [urlsplit(url).netloc], "labels": {"namespace": "example"}}
                ],
            }
            for name, url in stack.urls.items()
        ],
    }


def use(system: System) -> None:
    """Use the system like its users, errors included, so that there is something to see."""
    user = system.new_user()
    system.thoughts(user).post("/api/me/thoughts/", json={"text": unique("seen")})
    HttpClient(system.frontend_url).get("/search")
    wrong = {"username": user.username, "password": "not the password"}
    system.users().post("/api/login/", json=wrong)


def answer(prometheus: str, expression: str) -> list[dict[str, Any]]:
    """Prometheus's current answer to an expression."""
    body = HttpClient(prometheus).get("/api/v1/query", query={"query": expression}).json()
    assert body["status"] == "success", body
    result: list[dict[str, Any]] = body["data"]["result"]
    return result


@pytest.mark.parametrize("expression", panel_expressions())
def test_panel_shows_something(prometheus: str, expression: str) -> None:
    """Each expression of the dashboard has an answer."""
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)

    wait_until(lambda: answer(prometheus, expression) != [], what=expression)


def test_rules_are_loaded(prometheus: str) -> None:
    """Prometheus has evaluated every rule without an error."""

    def health() -> list[str]:
        groups = HttpClient(prometheus).get("/api/v1/rules").json()["data"]["groups"]
        return [rule["health"] for group in groups for rule in group["rules"]]

    wait_until(lambda: set(health()) == {"ok"}, what="every rule is evaluated")
    assert len(health()) == len(rule_expressions())
