"""Adds the component `dev` to the templates of Deployments, and restores them."""

import json
import os
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.kubectl import Json, Kubectl
from deploy.lease import LIMIT_SECONDS, Lease
from tooling.console import say, step
from tooling.failures import Failure
from tooling.project import ROOT, Service

COMPONENT = ROOT / "deploy" / "kubernetes" / "components" / "dev"
# On a Deployment that runs the working tree: its original template. It outlives this program.
ANNOTATION = "mythoughts/replaced-template"
_PATH = f"/metadata/annotations/{ANNOTATION.replace('/', '~1')}"


@contextmanager
def replaced_templates(
    kubectl: Kubectl, services: Sequence[Service], variables: Mapping[str, str], lease: Lease
) -> Iterator[None]:
    """Let the pods run the working tree, and restore their templates at the end.

    `variables` are added to the services' containers. If the `lease` is lost, nothing is restored:
    the cluster belongs to another run. Raises Failure, for example if a service is not deployed.
    """
    for service in services:
        _deployment_and_original(kubectl, service)
    try:
        for service in services:
            with step(f"Preparing {service.workload} for the working tree"):
                replace_template(kubectl, service, variables)
        say("\nCtrl-C returns the pods to their images.\n")
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Nothing is left half done.
        with _advice(lease):
            lease.renew()
            with ExitStack() as restored:  # If one fails, the others are restored nevertheless.
                for service in reversed(services):
                    restored.callback(_restore_template, kubectl.limited(LIMIT_SECONDS), service)


@contextmanager
def _advice(lease: Lease) -> Iterator[None]:
    """Add to a Failure of the block how to return the pods to their images."""
    try:
        yield
    except Failure as failure:
        if lease.is_lost:
            raise
        raise Failure(
            f"{failure}\nPods may still run the working tree. Once the cluster can be reached, run "
            "the same command again, and end it by Ctrl-C."
        ) from failure


def replace_template(
    kubectl: Kubectl, service: Service, variables: Mapping[str, str], image: str | None = None
) -> None:
    """Add the component to a Deployment, perhaps with another image; raises Failure."""
    deployment, original = _deployment_and_original(kubectl, service)
    for container in containers_of(original["spec"], service) if image else ():
        container["image"] = image
    deployment["spec"]["template"] = original
    settings, changed = _with_component(kubectl, deployment)
    serving = changed["spec"]["template"]["spec"]["containers"][0]
    serving["env"] += [{"name": name, "value": value} for name, value in variables.items()]
    kubectl.run("apply", "--filename=-", text=json.dumps(settings))
    kubectl.patch(
        f"deployment/{service.workload}",
        [
            {"op": "add", "path": _PATH, "value": json.dumps(original)},
            {"op": "replace", "path": "/spec/template", "value": changed["spec"]["template"]},
        ],
    )


def _restore_template(kubectl: Kubectl, service: Service) -> None:
    """Give a Deployment its original template back, if another one is in its place."""
    with step(f"Restoring the image of {service.workload}"):
        deployment, original = _deployment_and_original(kubectl, service)
        if ANNOTATION in deployment["metadata"]["annotations"]:
            template = {"op": "replace", "path": "/spec/template", "value": original}
            kubectl.patch(
                f"deployment/{service.workload}", [template, {"op": "remove", "path": _PATH}]
            )


def _deployment_and_original(kubectl: Kubectl, service: Service) -> tuple[Json, Json]:
    deployment = kubectl.deployment(service.workload)
    kept = deployment["metadata"]["annotations"].get(ANNOTATION)
    return deployment, json.loads(kept) if kept else deployment["spec"]["template"]


def check_images(deployments: Iterable[Json]) -> None:
    """Raise Failure if one of the Deployments runs a working tree instead of its image."""
    for deployment in deployments:
        if ANNOTATION in deployment["metadata"].get("annotations", {}):
            raise Failure(
                f"{deployment['metadata']['name']} runs a working tree. End `make cluster-dev` by "
                "Ctrl-C; if it was killed, run the same command again first."
            )


def containers_of(pods: Json, service: Service) -> list[Json]:
    """The containers that run the service's image: init containers do, for example to migrate."""
    containers = (*pods.get("initContainers", []), *pods["containers"])
    return [container for container in containers if service.repository in container["image"]]


def _with_component(kubectl: Kubectl, deployment: Json) -> list[Json]:
    """Render the component over a Deployment as it is; the ConfigMap comes first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        kustomization = {
            "namespace": deployment["metadata"]["namespace"],
            "resources": ["deployment.json"],
            "components": [os.path.relpath(COMPONENT, folder)],
        }
        (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
        (folder / "deployment.json").write_text(json.dumps(deployment))
        return kubectl.render(folder)
