"""`make cluster-up` and `make cluster-down`: our own cluster, with kind, k3d or minikube."""

import json
import re
import socket
from collections.abc import Iterator

import pytest
import yaml

from deploy.cluster_tools import INGRESS_NODE_PORT, NODE_PORTS
from testkit.stand_ins import Workplace
from tooling.project import ROOT

TOOLS = ("kind", "k3d", "minikube")
CONTEXTS = {"kind": "kind-mythoughts", "k3d": "k3d-mythoughts", "minikube": "mythoughts"}
NAMES = {
    "kind": ("kind get clusters", "", "mythoughts\n"),
    "k3d": ("k3d cluster list --output json", [], [{"name": "mythoughts"}]),
    "minikube": (
        "minikube profile list --light --output json",
        {"valid": [], "invalid": []},
        {"valid": [{"Name": "mythoughts"}], "invalid": []},
    ),
}
CREATE = {
    "kind": "kind create cluster --name mythoughts",
    "k3d": "k3d cluster create mythoughts",
    "minikube": "minikube start --profile mythoughts --driver docker",
}
DELETE = {
    "kind": "kind delete cluster --name mythoughts",
    "k3d": "k3d cluster delete mythoughts",
    "minikube": "minikube delete --profile mythoughts",
}
START = {
    "kind": "docker start mythoughts-control-plane",
    "k3d": "k3d cluster start mythoughts",
    "minikube": "minikube start --profile mythoughts",
}


@pytest.fixture(autouse=True)
def free_node_ports(workplace: Workplace) -> None:
    """Make the verbs use ports that are certainly free, whatever else runs on this machine."""
    file = workplace.tree / "deploy" / "cluster_tools.py"
    text = re.sub(r"NODE_PORTS = \(.*\)", "NODE_PORTS = (1, 2, 3)", file.read_text())
    file.write_text(text)


@pytest.fixture
def listening_port() -> Iterator[int]:
    """A port that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def install(workplace: Workplace, *tools: str, with_cluster: bool = False) -> None:
    """Put the tools on PATH, with or without an existing cluster."""
    workplace.install(*tools)
    for tool in tools:
        command, nothing, ours = NAMES[tool]
        workplace.answer(command, ours if with_cluster else nothing)


def cluster_up(workplace: Workplace, **settings: str) -> str:
    """Run the verb, which must succeed, with a free port, and return its output.

    Nothing answers there, so the verb is not to wait for it.
    """
    outcome = workplace.run("cluster-up", **{"INGRESS_PORT": "4", "WAIT_SECONDS": "0", **settings})
    assert outcome.status == 0, outcome.errors
    return outcome.output


def test_node_ports_are_those_of_the_manifests() -> None:
    """The ports mapped to a node are the services' node ports."""
    overlay = (ROOT / "deploy/kubernetes/overlays/local/kustomization.yaml").read_text()
    patches = "\n".join(patch["patch"] for patch in yaml.safe_load(overlay)["patches"])
    controller = (ROOT / "deploy/kubernetes/ingress-controller/service.yaml").read_text()

    found = re.findall(r"path: /spec/ports/0/nodePort, value: (\d+)", patches)

    assert sorted(map(int, found)) == sorted(NODE_PORTS)
    assert yaml.safe_load(controller)["spec"]["ports"][0]["nodePort"] == INGRESS_NODE_PORT


@pytest.mark.parametrize("tool", TOOLS)
def test_cluster_is_made(workplace: Workplace, tool: str) -> None:
    """The installed tool creates a cluster called mythoughts, once."""
    install(workplace, tool)

    cluster_up(workplace)

    assert len(workplace.calls(CREATE[tool])) == 1


def test_kind_leads_ports_to_its_node(workplace: Workplace) -> None:
    """Kind reads a description with each port of 127.0.0.1 and of the node."""
    install(workplace, "kind")

    cluster_up(workplace, INGRESS_PORT="5")

    (call,) = workplace.calls(CREATE["kind"])
    (node,) = json.loads(call.text)["nodes"]
    assert call.words[-2:] == ["--config", "-"]
    assert {"listenAddress": "127.0.0.1", "hostPort": 5, "containerPort": 30080} in (
        node["extraPortMappings"]
    )
    assert len(node["extraPortMappings"]) == 4


@pytest.mark.parametrize(
    ("tool", "argument"),
    [("k3d", "--port=127.0.0.1:5:30080@server:0"), ("minikube", "--ports=127.0.0.1:5:30080")],
)
def test_others_lead_ports_to_their_node(workplace: Workplace, tool: str, argument: str) -> None:
    """k3d and minikube get an argument for each port."""
    install(workplace, tool)

    cluster_up(workplace, INGRESS_PORT="5")

    (call,) = workplace.calls(CREATE[tool])
    assert argument in call.words
    assert len([word for word in call.words if word.startswith("--port")]) == 4


def test_k3d_brings_no_ingress_controller(workplace: Workplace) -> None:
    """k3s's own controller is disabled; the project's own is installed on every cluster."""
    install(workplace, "k3d")

    cluster_up(workplace)

    (call,) = workplace.calls(CREATE["k3d"])
    assert "--k3s-arg=--disable=traefik@server:0" in call.words


@pytest.mark.parametrize("tool", TOOLS)
def test_everything_gets_into_the_new_cluster(workplace: Workplace, tool: str) -> None:
    """Ingress controller and overlay are applied to the new cluster, whatever the context."""
    install(workplace, tool)

    cluster_up(workplace)

    kubectl = f"kubectl --context {CONTEXTS[tool]}"
    assert workplace.calls(f"{kubectl} apply --kustomize deploy/kubernetes/ingress-controller")
    assert workplace.calls(f"{kubectl} apply --filename=-")
    assert len(workplace.calls(kubectl)) == len(workplace.calls("kubectl"))


@pytest.mark.parametrize(
    ("tool", "load"),
    [
        ("kind", "kind load docker-image --name mythoughts"),
        ("k3d", "k3d image import --cluster mythoughts"),
        ("minikube", "minikube image load --profile mythoughts"),
    ],
)
def test_images_are_loaded(workplace: Workplace, tool: str, load: str) -> None:
    """All three images are loaded with the tool's own command."""
    install(workplace, tool)

    cluster_up(workplace)

    (call,) = workplace.calls(load)
    assert [word.partition(":")[0] for word in call.words[-3:]] == [
        "mythoughts/thoughts-backend",
        "mythoughts/users-backend",
        "mythoughts/frontend",
    ]


@pytest.mark.parametrize("tool", TOOLS)
def test_existing_cluster_is_started(workplace: Workplace, tool: str) -> None:
    """A second `make cluster-up` creates no cluster, but starts the existing one."""
    install(workplace, tool, with_cluster=True)

    cluster_up(workplace)

    assert workplace.calls(START[tool])
    assert workplace.calls(CREATE[tool]) == []


def test_first_of_several_tools_is_told(workplace: Workplace) -> None:
    """With several tools installed, the output says which is used and how to choose another."""
    install(workplace, "k3d", "minikube")

    output = cluster_up(workplace)

    assert "Using k3d. CLUSTER_TOOL chooses minikube." in output


def test_tool_can_be_chosen(workplace: Workplace) -> None:
    """CLUSTER_TOOL overrules the order."""
    install(workplace, *TOOLS)

    cluster_up(workplace, CLUSTER_TOOL="minikube")

    assert workplace.calls(CREATE["minikube"])


def test_cluster_of_any_tool_is_found_again(workplace: Workplace) -> None:
    """A cluster that another tool created is used before a new one is created."""
    install(workplace, "kind")
    install(workplace, "minikube", with_cluster=True)

    cluster_up(workplace)

    assert workplace.calls(START["minikube"])
    assert workplace.calls(CREATE["kind"]) == []


def test_missing_tools_are_explained(workplace: Workplace) -> None:
    """Without any of the tools the message says where to get each."""
    outcome = workplace.run("cluster-up")

    assert outcome.status == 1
    for home in ("https://kind.sigs.k8s.io", "https://k3d.io", "https://minikube.sigs.k8s.io"):
        assert home in outcome.errors


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ("rancher", "CLUSTER_TOOL=rancher is not one of kind, k3d, minikube."),
        ("kind", "There is no kind on PATH."),
    ],
)
def test_tool_that_cannot_be_used_is_refused(workplace: Workplace, tool: str, message: str) -> None:
    """A wrong name and a tool that is not installed each get their own message."""
    install(workplace, "k3d")

    outcome = workplace.run("cluster-up", CLUSTER_TOOL=tool)

    assert outcome.status == 1
    assert message in outcome.errors


def test_busy_port_is_told_before_anything_is_made(
    workplace: Workplace, listening_port: int
) -> None:
    """The message has the port and a command that uses another."""
    install(workplace, "kind")

    outcome = workplace.run("cluster-up", INGRESS_PORT=str(listening_port))

    assert outcome.status == 1
    assert f"The cluster needs port {listening_port} of this machine." in outcome.errors
    assert "make cluster-up INGRESS_PORT=8" in outcome.errors
    assert workplace.calls(CREATE["kind"]) == []


@pytest.mark.parametrize("port", ["http", "0", "65536", "８０"])
def test_odd_ingress_port_is_refused(workplace: Workplace, port: str) -> None:
    """INGRESS_PORT is a valid port number."""
    install(workplace, "kind")

    outcome = workplace.run("cluster-up", INGRESS_PORT=port)

    assert f"INGRESS_PORT={port} is not a port" in outcome.errors


def test_fault_of_the_tool_is_shown(workplace: Workplace) -> None:
    """The tool's error message is shown, without a traceback."""
    install(workplace, "kind")
    workplace.answer("kind create cluster", status=1, error="ERROR: docker does not answer")

    outcome = workplace.run("cluster-up", INGRESS_PORT="4")

    assert outcome.status == 1
    assert "ERROR: docker does not answer" in outcome.errors
    assert "Traceback" not in outcome.errors


@pytest.mark.parametrize("tool", TOOLS)
def test_cluster_is_deleted(workplace: Workplace, tool: str) -> None:
    """`make cluster-down` deletes the cluster that `make cluster-up` created."""
    install(workplace, tool, with_cluster=True)

    outcome = workplace.run("cluster-down", YES="1")

    assert outcome.status == 0, outcome.errors
    assert workplace.calls(DELETE[tool])


def test_deleting_is_asked_first(workplace: Workplace) -> None:
    """Without a terminal to ask at, the cluster is kept."""
    install(workplace, "kind", with_cluster=True)

    outcome = workplace.run("cluster-down")

    assert outcome.status == 1
    assert "This deletes the cluster kind-mythoughts, with every user and thought" in outcome.output
    assert workplace.calls(DELETE["kind"]) == []


def test_there_may_be_nothing_to_delete(workplace: Workplace) -> None:
    """Without a cluster no question is asked."""
    install(workplace, "kind")

    outcome = workplace.run("cluster-down")

    assert outcome.status == 0
    assert "There is no cluster to delete." in outcome.output
