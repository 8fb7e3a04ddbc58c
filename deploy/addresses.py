"""Where the deployed system is reachable from this machine: only addresses that answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.cluster_tools import INGRESS_PORT, ingress_port, is_ours
from deploy.images import SHARED_WITH_DOCKER
from deploy.kubectl import INGRESS_NAMESPACE, NAMESPACE, Kubectl
from deploy.rollout import wait_seconds
from tooling.project import SERVICES
from tooling.readiness import is_ready, wait_until

_MAX_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the overlay `local` answers; empty or None where nothing was found.

    `services` has the addresses of `thoughts`, `users` and `frontend` at their node ports,
    `hosts` their addresses through the Ingress, and `ingress` that of its controller.
    """

    services: Mapping[str, str]
    hosts: Mapping[str, str]
    ingress: str | None


def reachable(kubectl: Kubectl, environment: Mapping[str, str]) -> Addresses:
    """Find the addresses by trying each one that the Frontend could have."""
    seconds = min(wait_seconds(environment), _MAX_SECONDS)
    nodes = _nodes(kubectl)
    domain = "localhost" if nodes == ["localhost"] else "example.local"
    names = [service.name for service in SERVICES]
    ports = _node_ports(kubectl, NAMESPACE)
    node = _find(nodes, ports.get("frontend-service"), seconds=seconds)
    port = _ingress_port(kubectl, environment)
    ingress_node = _find(nodes, port, f"frontend.{domain}", seconds=seconds)
    suffix = domain if port == INGRESS_PORT else f"{domain}:{port}"
    return Addresses(
        services={name: f"http://{node}:{ports[f'{name}-service']}" for name in names if node},
        hosts={name: f"http://{name}.{suffix}" for name in names if ingress_node},
        ingress=f"http://{ingress_node}:{port}" if ingress_node else None,
    )


def _nodes(kubectl: Kubectl) -> list[str]:
    """The hosts at which a node of the cluster may be reachable."""
    if is_ours(kubectl.context) or kubectl.context in SHARED_WITH_DOCKER:
        return ["localhost"]
    return [
        address["address"]
        for node in kubectl.get("nodes")
        for address in node["status"]["addresses"]
        if address["type"] in ("InternalIP", "ExternalIP") and ":" not in address["address"]
    ]


def _ingress_port(kubectl: Kubectl, environment: Mapping[str, str]) -> int | None:
    """Where the ingress controller listens, if it is this project's own."""
    if is_ours(kubectl.context):
        return ingress_port(environment)
    return _node_ports(kubectl, INGRESS_NAMESPACE).get("traefik")


def _node_ports(kubectl: Kubectl, namespace: str) -> dict[str, int]:
    """The node port of each service, by the service's name."""
    return {
        service["metadata"]["name"]: port["nodePort"]
        for service in kubectl.get("services", namespace=namespace)
        for port in service["spec"]["ports"]
        if port.get("nodePort")
    }


def _find(
    nodes: list[str], port: int | None, host: str | None = None, *, seconds: int
) -> str | None:
    """The first node on which the Frontend answers to the name `host`, or None."""
    if port is None:
        return None
    found: list[str] = []

    def look() -> bool:
        urls = {node: f"http://{node}:{port}/login/" for node in nodes}
        found.extend(node for node, url in urls.items() if is_ready(url, host=host))
        return bool(found)

    wait_until(look, seconds=seconds)
    return found[0] if found else None
