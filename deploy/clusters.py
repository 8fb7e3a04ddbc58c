"""Creating our own cluster, `mythoughts`, on this machine."""

import socket
from collections.abc import Mapping

from deploy.addresses import ingress_port
from deploy.cluster_tools import Cluster, usable_clusters
from tooling.commands import require
from tooling.console import say, step
from tooling.failures import Failure

# Where the overlay `local` and the ingress controller listen on every node.
NODE_PORTS = (30800, 30801, 30802)
INGRESS_NODE_PORT = 30080


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
        if _is_busy(port):
            advice = "Stop the program that is using it"
            if node_port == INGRESS_NODE_PORT:
                advice += f", or choose another: make cluster-up INGRESS_PORT={8000 + port % 1000}"
            raise Failure(f"The cluster needs port {port} of this machine. {advice}.")


def _is_busy(port: int) -> bool:
    """Whether a port is in use; checked by connecting, because Docker may use ports we may not."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
