"""Our own cluster on this machine, `mythoughts`, and the commands of kind, k3d and minikube."""

import json
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tooling.commands import is_installed, require, run
from tooling.console import say, step
from tooling.failures import Failure
from tooling.settings import choice, port_number

CLUSTER = "mythoughts"
INGRESS_PORT = 80
# Where the overlay `local` and the ingress controller listen on every node.
NODE_PORTS = (30800, 30801, 30802)
INGRESS_NODE_PORT = 30080
_HOST = "127.0.0.1"

# Maps ports of this machine, open only on 127.0.0.1, to ports of the cluster's node.
Ports = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ClusterTool:
    """A program that creates clusters, and its commands, where `{cluster}` is the cluster's name.

    `names_in` extracts the names of clusters from the output of `names`. `ports` returns the
    arguments that map ports to the node, and the text for standard input.
    """

    program: str
    home: str
    context: str
    names: str
    names_in: Callable[[str], list[str]]
    create: str
    ports: Callable[[Ports], tuple[list[str], str]]
    start: str
    load: str
    remove: str
    delete: str


def _ports_of_kind(ports: Ports) -> tuple[list[str], str]:
    mappings = [
        {"listenAddress": _HOST, "hostPort": host, "containerPort": node}
        for host, node in ports.items()
    ]
    description = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane", "extraPortMappings": mappings}],
    }
    return ["--config", "-"], json.dumps(description)  # JSON is YAML.


def _ports_of_k3d(ports: Ports) -> tuple[list[str], str]:
    return [f"--port={_HOST}:{host}:{node}@server:0" for host, node in ports.items()], ""


def _ports_of_minikube(ports: Ports) -> tuple[list[str], str]:
    return [f"--ports={_HOST}:{host}:{node}" for host, node in ports.items()], ""


TOOLS = (
    ClusterTool(
        program="kind",
        home="https://kind.sigs.k8s.io",
        context="kind-{cluster}",
        names="kind get clusters",
        names_in=str.split,
        create="kind create cluster --name {cluster} --wait 3m",
        ports=_ports_of_kind,
        start="docker start {cluster}-control-plane",
        load="kind load docker-image --name {cluster}",
        remove="docker exec {cluster}-control-plane crictl rmi",
        delete="kind delete cluster --name {cluster}",
    ),
    ClusterTool(
        program="k3d",
        home="https://k3d.io",
        context="k3d-{cluster}",
        names="k3d cluster list --output json",
        names_in=lambda text: [cluster["name"] for cluster in json.loads(text) or []],
        # Its own ingress controller would conflict with ours.
        create="k3d cluster create {cluster} --k3s-arg=--disable=traefik@server:0",
        ports=_ports_of_k3d,
        start="k3d cluster start {cluster}",
        load="k3d image import --cluster {cluster}",
        remove="docker exec k3d-{cluster}-server-0 crictl rmi",
        delete="k3d cluster delete {cluster}",
    ),
    ClusterTool(
        program="minikube",
        home="https://minikube.sigs.k8s.io",
        context="{cluster}",
        names="minikube profile list --light --output json",
        names_in=lambda text: [profile["Name"] for profile in json.loads(text)["valid"]],
        # Only a node that runs in a container can publish ports on this machine.
        create="minikube start --profile {cluster} --driver docker",
        ports=_ports_of_minikube,
        start="minikube start --profile {cluster}",
        load="minikube image load --profile {cluster}",
        remove="minikube image rm --profile {cluster}",
        delete="minikube delete --profile {cluster}",
    ),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of one of the tools; it may not exist yet. Each method raises Failure."""

    tool: ClusterTool
    name: str = CLUSTER

    @property
    def context(self) -> str:
        """Its context in kubectl."""
        return self.tool.context.format(cluster=self.name)

    def exists(self) -> bool:
        """Whether it exists."""
        return self.name in self.tool.names_in(self._run(self.tool.names))

    def create(self, ports: Ports) -> None:
        """Create it."""
        arguments, text = self.tool.ports(ports)
        self._run(self.tool.create, *arguments, text=text)

    def start(self) -> None:
        """Start it again if it was stopped."""
        self._run(self.tool.start)

    def load(self, images: Sequence[str]) -> None:
        """Copy images from Docker to the cluster."""
        self._run(self.tool.load, *images)

    def remove(self, images: Sequence[str]) -> None:
        """Delete images from the cluster."""
        self._run(self.tool.remove, *images)

    def delete(self) -> None:
        """Delete the cluster and everything in it."""
        self._run(self.tool.delete)

    def _run(self, command: str, *arguments: str, text: str = "") -> str:
        return run(*command.format(cluster=self.name).split(), *arguments, text=text)


def usable_clusters(environment: Mapping[str, str]) -> list[Cluster]:
    """Our cluster in the tool that CLUSTER_TOOL names, or in each installed tool.

    Raises Failure if no tool is installed.
    """
    names = [tool.program for tool in TOOLS]
    wanted = environment.get("CLUSTER_TOOL") and choice(environment, "CLUSTER_TOOL", names)
    installed = [tool for tool in TOOLS if is_installed(tool.program)]
    usable = [Cluster(tool) for tool in installed if wanted in (None, "", tool.program)]
    if not usable:
        homes = "\n".join(f"    {tool.program:10}{tool.home}" for tool in TOOLS)
        raise Failure(
            f"There is no {wanted or 'tool that creates clusters'} on PATH. Install one of these, "
            f"and Docker:\n{homes}\nTo use an existing cluster: make deploy"
        )
    return usable


def cluster_of(context: str) -> Cluster | None:
    """The cluster that belongs to a kubectl context, if its name is that of one of the tools."""
    for tool in TOOLS:
        prefix = tool.context.format(cluster="")
        if prefix and context.startswith(prefix):
            return Cluster(tool, context.removeprefix(prefix))
        if context in (tool.context.format(cluster=CLUSTER), tool.program):
            return Cluster(tool, context)
    return None


def is_ours(context: str) -> bool:
    """Whether `make cluster-up` creates the cluster of this context."""
    cluster = cluster_of(context)
    return cluster is not None and cluster.name == CLUSTER


def ingress_port(environment: Mapping[str, str]) -> int:
    """The port of this machine that our own cluster's Ingress has, or is to have: INGRESS_PORT."""
    ports = run("docker", "ps", "--filter", f"name={CLUSTER}", "--format", "{{.Ports}}")
    mapped = re.search(rf":(\d+)->{INGRESS_NODE_PORT}/tcp", ports)
    return int(mapped[1]) if mapped else port_number(environment, "INGRESS_PORT", INGRESS_PORT)


def ensure_cluster(environment: Mapping[str, str]) -> Cluster:
    """Create the cluster, or start it if it exists."""
    clusters = usable_clusters(environment)
    require("docker")
    require("kubectl")
    ports = {port: port for port in NODE_PORTS}
    ports[ingress_port(environment)] = INGRESS_NODE_PORT
    for cluster in clusters:
        if cluster.exists():
            with step(f"Starting the cluster with {cluster.tool.program}"):
                cluster.start()
            return cluster
    first, *others = clusters
    if others:
        names = " or ".join(other.tool.program for other in others)
        say(f"Using {first.tool.program}. CLUSTER_TOOL chooses {names}.")
    _check_free(ports)
    with step(f"Creating a cluster with {first.tool.program}"):
        first.create(ports)
    return first


def _check_free(ports: Mapping[int, int]) -> None:
    for port, node_port in ports.items():
        if is_busy(port):
            advice = "Stop the program that is using it"
            if node_port == INGRESS_NODE_PORT:
                advice += f", or choose another: make cluster-up INGRESS_PORT={8000 + port % 1000}"
            raise Failure(f"The cluster needs port {port} of this machine. {advice}.")


def is_busy(port: int) -> bool:
    """Whether a port is in use; checked by connecting, because Docker may use ports we may not."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_HOST, port)) == 0
