"""kubectl, always with the chosen context, even if the current context changes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
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
    """kubectl for one cluster. With a limit, `run` and what uses it fail if they take longer."""

    context: str
    limit_seconds: float | None = None

    def limited(self, seconds: float) -> "Kubectl":
        """The same with a limit."""
        return replace(self, limit_seconds=seconds)

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs it."""
        return ["kubectl", "--context", self.context, *arguments]

    def run(self, *arguments: str, text: str = "") -> str:
        """Run it and return its output; `text` is its standard input. Raises Failure."""
        return run(*self.command(*arguments), text=text, limit_seconds=self.limit_seconds)

    def get(self, *what: str, namespace: str = NAMESPACE) -> list[Json]:
        """The objects of these kinds or names, as the API server returns them."""
        answer = self.run("get", *what, "--namespace", namespace, "--output=json")
        found: Json = json.loads(answer)
        items: list[Json] = found.get("items", [found])
        return items

    def find(self, name: str) -> Json | None:
        """The object of this kind and name, such as `lease/development`, or None."""
        answer = self.run(
            "get", name, "--namespace", NAMESPACE, "--ignore-not-found", "--output=json"
        )
        found: Json | None = json.loads(answer) if answer else None
        return found

    def deployment(self, name: str) -> Json:
        """The Deployment of this name; raises Failure if the system is not deployed."""
        found = self.find(f"deployment/{name}")
        if found is None:
            raise Failure(f"{name} is not in the cluster {self.context}: make deploy")
        return found

    def patch(self, name: str, operations: Sequence[Json]) -> None:
        """Change an object by a JSON patch (RFC 6902)."""
        what = (name, "--namespace", NAMESPACE, "--type=json", "--patch-file=/dev/stdin")
        self.run("patch", *what, text=json.dumps(operations))

    def render(self, folder: Path) -> list[Json]:
        """The objects of a kustomization."""
        manifests = self.run("kustomize", str(folder))
        # kubectl turns YAML into JSON, one object after the other.
        as_json = ("--local", "--filename=-", "--output=json")
        text = self.run("annotate", *as_json, "not-there-", text=manifests)
        objects: list[Json] = json.loads("[" + text.replace("}\n{", "},{") + "]")
        return objects

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
