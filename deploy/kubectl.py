"""kubectl, always with the chosen context, even if the current context changes meanwhile."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tooling.commands import run
from tooling.failures import Failure
from tooling.settings import choice

NAMESPACE = "example"
INGRESS_NAMESPACE = "ingress"
INGRESS_CONTROLLER = "deploy/kubernetes/ingress-controller"
NAMESPACE_FILE = "deploy/kubernetes/base/namespace.yaml"
INGRESS_PERMISSIONS = "deploy/kubernetes/components/traefik/permissions.yaml"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl for one cluster."""

    context: str

    def run(self, *arguments: str, text: str = "") -> str:
        """Run it and return its output; `text` is its standard input. Raises Failure."""
        return run("kubectl", "--context", self.context, *arguments, text=text)

    def get(self, *what: str, namespace: str = NAMESPACE) -> list[Json]:
        """The objects of these kinds or names, as the API server returns them."""
        answer = self.run("get", *what, "--namespace", namespace, "--output=json")
        found: Json = json.loads(answer)
        items: list[Json] = found.get("items", [found])
        return items

    def server(self) -> str:
        """The address of the cluster's API server."""
        path = "jsonpath={.clusters[0].cluster.server}"
        return self.run("config", "view", "--minify", f"--output={path}")


def chosen_context(environment: Mapping[str, str]) -> str:
    """The context that CONTEXT names, otherwise the current one."""
    contexts = run("kubectl", "config", "get-contexts", "--output=name").split()
    if not contexts:
        raise Failure(
            "kubectl has no cluster configured. `make cluster-up` creates one on this machine."
        )
    if environment.get("CONTEXT"):
        return choice(environment, "CONTEXT", contexts)
    try:
        return run("kubectl", "config", "current-context").strip()
    except Failure:
        raise Failure(
            f"No current context is set. Choose one with CONTEXT=NAME: {', '.join(contexts)}."
        ) from None
