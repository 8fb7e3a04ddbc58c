"""Which pods may connect to each other, by the rules of Kubernetes' NetworkPolicies.

In each direction, a pod that no policy selects has no restrictions; a selected pod may do what at
least one of its policies allows. A connection must be allowed at both ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from testkit.manifest_objects import of_kind, pods
from testkit.manifests import Manifest

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection: a pod, or something else, which has no labels."""

    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...] = ()


def peers_of(objects: Iterable[Manifest], namespace: str) -> dict[str, Peer]:
    """The pods that the objects create, by their name label."""
    templates = [pod["metadata"]["labels"] for _, pod in pods(objects)]
    return {
        labels["app.kubernetes.io/name"]: Peer(
            namespace, labels["app.kubernetes.io/name"], tuple(labels.items())
        )
        for labels in templates
    }


def may_connect(objects: Iterable[Manifest], source: Peer, target: Peer, port: int) -> bool:
    """Whether `source` may open a TCP connection to this port of `target`."""
    policies = of_kind(objects, "NetworkPolicy")
    return _allows(policies, "Egress", source, target, port) and _allows(
        policies, "Ingress", target, source, port
    )


def _allows(policies: list[Manifest], direction: str, pod: Peer, other: Peer, port: int) -> bool:
    binding = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], dict(pod.labels))
    ]
    rules = [rule for spec in binding for rule in spec.get(direction.lower(), [])]
    return not binding or any(
        _fits_port(rule, port) and _fits_peer(rule, direction, pod.namespace, other)
        for rule in rules
    )


def _fits_port(rule: dict[str, Any], port: int) -> bool:
    ports = rule.get("ports")
    return ports is None or any(
        entry["port"] == port and entry.get("protocol", "TCP") == "TCP" for entry in ports
    )


def _fits_peer(rule: dict[str, Any], direction: str, namespace: str, other: Peer) -> bool:
    peers = rule.get("to" if direction == "Egress" else "from")
    return peers is None or any(_is(peer, namespace, other) for peer in peers)


def _is(peer: dict[str, Any], namespace: str, other: Peer) -> bool:
    if "namespaceSelector" in peer:
        fits = _selects(peer["namespaceSelector"], {NAMESPACE_LABEL: other.namespace})
    else:
        fits = other.namespace == namespace
    return fits and _selects(peer.get("podSelector", {}), dict(other.labels))


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in expressions)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(expression["key"]) in expression["values"] for expression in expressions
    )
