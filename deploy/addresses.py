"""Where a browser on this machine reaches what was deployed: addresses that answer, no others."""

import http.client
from collections.abc import Callable, Mapping

from deploy.cluster_tools import CLUSTER, cluster_of
from deploy.failures import DeployError
from deploy.images import SHARED_WITH_DOCKER
from deploy.kubectl import INGRESS_CONTROLLER, INGRESS_NAMESPACE, NAMESPACE, Kubectl
from deploy.services import SERVICES, Service
from local.readiness import wait_until

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
    nodes = _nodes(kubectl)
    domain = "localhost" if nodes == ["localhost"] else "example.local"
    port, ports = _ingress_port(kubectl, environment), _node_ports(kubectl, NAMESPACE)
    parts = []
    if node := _find(nodes, port, f"frontend.{domain}"):
        suffix = f".{domain}" if port == _DEFAULT_INGRESS_PORT else f".{domain}:{port}"
        parts.append(_lines(lambda service: service.host + suffix))
        if node != "localhost":
            names = " ".join(f"{service.host}.{domain}" for service in SERVICES)
            parts.append(f"  For these, /etc/hosts needs the line: {node} {names}")
    else:
        parts.append(
            "  The Ingress does not answer on this machine. To install a controller for it:\n"
            f"  kubectl --context {kubectl.context} apply --kustomize {INGRESS_CONTROLLER}"
        )
    if node := _find(nodes, ports.get("frontend-service")):
        parts.append(_lines(lambda service: f"{node}:{ports[f'{service.host}-service']}"))
    else:
        parts.append(
            "  No port of a node answers on this machine. This leads one, 8002, to the Frontend:\n"
            f"  kubectl --context {kubectl.context} --namespace {NAMESPACE} port-forward "
            "service/frontend-service 8002:80"
        )
    return "\n\n".join(parts)


def _nodes(kubectl: Kubectl) -> list[str]:
    """The hosts that could lead to a node of the cluster."""
    if _is_ours(kubectl) or kubectl.context in SHARED_WITH_DOCKER:
        return ["localhost"]
    return [
        address["address"]
        for node in kubectl.get("nodes")
        for address in node["status"]["addresses"]
        if address["type"] in ("InternalIP", "ExternalIP") and ":" not in address["address"]
    ]


def _is_ours(kubectl: Kubectl) -> bool:
    """Whether the cluster is one that `make cluster-up` makes."""
    cluster = cluster_of(kubectl.context)
    return cluster is not None and cluster.name == CLUSTER


def _ingress_port(kubectl: Kubectl, environment: Mapping[str, str]) -> int | None:
    """Where the ingress controller listens, if it is the one that comes with this project."""
    if _is_ours(kubectl):
        return ingress_port(environment)
    return _node_ports(kubectl, INGRESS_NAMESPACE).get("traefik")


def _node_ports(kubectl: Kubectl, namespace: str) -> dict[str, int]:
    """The port at which each node leads to a service, by the service's name."""
    return {
        service["metadata"]["name"]: port["nodePort"]
        for service in kubectl.get("services", namespace=namespace)
        for port in service["spec"]["ports"]
        if port.get("nodePort")
    }


def _find(nodes: list[str], port: int | None, host: str | None = None) -> str | None:
    """The first node on which the Frontend answers, asked by the name `host`, or None."""
    if port is None:
        return None
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
