"""Where a browser on this machine reaches what was deployed: addresses that answer, no others."""

import http.client
from collections.abc import Callable, Mapping

from deploy.cluster_tools import CLUSTER, cluster_of
from deploy.failures import DeployError
from deploy.images import SHARED_WITH_DOCKER
from deploy.kubectl import Kubectl
from deploy.services import SERVICES, Service
from local.readiness import wait_until

# Where the overlay `local` and the ingress controller listen on every node.
NODE_PORTS = {"thoughts-backend": 30800, "users-backend": 30801, "frontend": 30802}
INGRESS_NODE_PORT = 30080

_DEFAULT_INGRESS_PORT = 80
_WAIT_SECONDS = 10
_PAGES = {"thoughts-backend": "/schema/swagger", "users-backend": "/schema/swagger"}


def ingress_port(environment: Mapping[str, str]) -> int:
    """The port of this machine that leads to the Ingress of our own cluster: INGRESS_PORT."""
    text = environment.get("INGRESS_PORT") or str(_DEFAULT_INGRESS_PORT)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 65535):
        raise DeployError(f"INGRESS_PORT={text} is not a port: a number from 1 to 65535.")
    return int(text)


def describe_addresses(kubectl: Kubectl, environment: Mapping[str, str]) -> str:
    """The addresses of the overlay `local`, through the Ingress and through each node's ports."""
    nodes, port = _entrances(kubectl, environment)
    domain = "localhost" if nodes == ["localhost"] else "example.local"
    parts = []
    if node := _find(nodes, port, f"frontend.{domain}"):
        suffix = f".{domain}" if port == _DEFAULT_INGRESS_PORT else f".{domain}:{port}"
        parts.append(_lines(lambda service: service.host + suffix))
        if node != "localhost":
            names = " ".join(f"{service.host}.{domain}" for service in SERVICES)
            parts.append(f"  For these, /etc/hosts needs the line: {node} {names}")
    if node := _find(nodes, NODE_PORTS["frontend"]):
        parts.append(_lines(lambda service: f"{node}:{NODE_PORTS[service.name]}"))
    return "\n\n".join(parts) or (
        "  No address answers on this machine. This leads one here, http://localhost:8002/:\n"
        f"  kubectl --context {kubectl.context} --namespace example port-forward "
        "service/frontend-service 8002:80"
    )


def _entrances(kubectl: Kubectl, environment: Mapping[str, str]) -> tuple[list[str], int]:
    """The hosts that could lead to the cluster's nodes, and the port of the Ingress there."""
    cluster = cluster_of(kubectl.context)
    if cluster is not None and cluster.name == CLUSTER:
        return ["localhost"], ingress_port(environment)
    if kubectl.context in SHARED_WITH_DOCKER:
        return ["localhost"], INGRESS_NODE_PORT
    addresses = [
        address["address"]
        for node in kubectl.get("nodes")
        for address in node["status"]["addresses"]
        if address["type"] in ("InternalIP", "ExternalIP") and ":" not in address["address"]
    ]
    return addresses, INGRESS_NODE_PORT


def _find(nodes: list[str], port: int, host: str | None = None) -> str | None:
    """The first node on which the Frontend answers, asked by the name `host`, or None."""
    found: list[str] = []

    def look() -> bool:
        found.extend(node for node in nodes if _answers(node, port, host or node))
        return bool(found)

    wait_until(look, seconds=_WAIT_SECONDS)
    return found[0] if found else None


def _answers(node: str, port: int, host: str) -> bool:
    connection = http.client.HTTPConnection(node, port, timeout=2)
    try:
        connection.request("GET", "/login/", headers={"Host": host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _lines(address: Callable[[Service], str]) -> str:
    return "\n".join(
        f"  {service.title:18}http://{address(service)}{_PAGES.get(service.name, '/')}"
        for service in reversed(SERVICES)
    )
