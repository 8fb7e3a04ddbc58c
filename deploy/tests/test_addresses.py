"""The addresses printed at the end: those that answer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from testkit.stand_ins import Workplace, items

NODES = items({"status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}})
QUICK = {"YES": "1", "IMAGE_LOADER": "none"}


class Frontend(BaseHTTPRequestHandler):
    """Answers 200 to requests for the Frontend, by the node's address or by its host.

    It refuses as many requests as `refusals` says first.
    """

    refusals = 0

    def do_GET(self) -> None:
        host = (self.headers["Host"] or "").partition(":")[0]
        known = host in ("127.0.0.1", "localhost") or host.startswith("frontend.")
        answers = known and self.path == "/login/" and Frontend.refusals <= 0
        Frontend.refusals -= 1
        self.send_response(200 if answers else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server that answers as the Frontend does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Frontend) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def service(name: str, port: int) -> dict[str, object]:
    """A Service with a node port."""
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80, "nodePort": port}]}}


def offer(workplace: Workplace, port: int, *, with_ingress: bool) -> None:
    """Give the cluster one node, with the services and perhaps the Ingress at the port."""
    names = ("thoughts-service", "users-service", "frontend-service")
    workplace.answer("kubectl get nodes", NODES)
    workplace.answer(
        "kubectl get services --namespace example", items(*(service(name, port) for name in names))
    )
    if with_ingress:
        workplace.answer(
            "kubectl get services --namespace ingress", items(service("traefik", port))
        )


def test_ports_of_a_node_are_told(workplace: Workplace, port: int) -> None:
    """Each service is listed with its node port."""
    offer(workplace, port, with_ingress=False)

    outcome = workplace.run("deploy", **QUICK)

    assert f"Frontend          http://127.0.0.1:{port}/\n" in outcome.output
    assert f"Thoughts Backend  http://127.0.0.1:{port}/schema/swagger\n" in outcome.output


def test_answers_are_waited_for(
    workplace: Workplace, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that does not answer at once is tried again."""
    monkeypatch.setattr(Frontend, "refusals", 3)
    offer(workplace, port, with_ingress=False)

    outcome = workplace.run("deploy", **QUICK)

    assert f"Frontend          http://127.0.0.1:{port}/\n" in outcome.output


def test_hosts_of_the_ingress_are_told(workplace: Workplace, port: int) -> None:
    """Hosts reached through a node's address need a line in /etc/hosts, which is printed."""
    offer(workplace, port, with_ingress=True)

    outcome = workplace.run("deploy", **QUICK)

    assert f"Frontend          http://frontend.example.local:{port}/\n" in outcome.output
    assert "127.0.0.1 frontend.example.local" not in outcome.output.partition("line:")[0]
    assert "thoughts.example.local" in outcome.output.partition("line: 127.0.0.1")[2]


def test_hosts_of_our_own_cluster_need_nothing(workplace: Workplace, port: int) -> None:
    """In the cluster created by `make cluster-up`, hosts end in .localhost, at INGRESS_PORT."""
    workplace.install("kind")

    outcome = workplace.run("deploy", **QUICK, CONTEXT="kind-mythoughts", INGRESS_PORT=str(port))

    assert f"Frontend          http://frontend.localhost:{port}/\n" in outcome.output
    assert "/etc/hosts" not in outcome.output


def test_port_of_our_own_cluster_is_found(workplace: Workplace, port: int) -> None:
    """INGRESS_PORT need not be repeated: Docker knows the port that was mapped to the node."""
    workplace.install("kind")
    mapped = f"127.0.0.1:41999->6443/tcp, 127.0.0.1:{port}->30080/tcp"
    workplace.answer("docker ps --filter name=mythoughts", f"8000/tcp\n{mapped}\n")

    outcome = workplace.run("deploy", **QUICK, CONTEXT="kind-mythoughts")

    assert f"Frontend          http://frontend.localhost:{port}/\n" in outcome.output


def test_missing_ingress_controller_is_told(workplace: Workplace, port: int) -> None:
    """Hosts do not work without an ingress controller, so the output says how to install one."""
    offer(workplace, port, with_ingress=False)

    outcome = workplace.run("deploy", **QUICK)

    assert (
        "kubectl --context somewhere apply --kustomize deploy/kubernetes/ingress-controller"
        in outcome.output
    )


def test_forwarding_is_told_where_nothing_answers(workplace: Workplace) -> None:
    """Where no node port answers, the output has a command that forwards one."""
    outcome = workplace.run("deploy", **QUICK)

    assert outcome.status == 0
    assert "port-forward service/frontend-service 8002:80" in outcome.output
    assert "http://127.0.0.1" not in outcome.output


def test_users_of_the_demonstration_are_told(workplace: Workplace) -> None:
    """The output says who can log in, and where the administrator's password is."""
    outcome = workplace.run("deploy", **QUICK)

    assert "bruce (password: bruce)" in outcome.output
    assert "deploy/kubernetes/overlays/local/secrets/admin-password" in outcome.output
