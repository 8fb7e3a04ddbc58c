"""The Makefile's verbs for a Kubernetes cluster, and the variables that they read."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from deploy import key_rotation, messages
from deploy.cluster_tools import cluster_of, ensure_cluster, is_busy, usable_clusters
from deploy.deployment import deploy, prepare, redeploy
from deploy.development import develop
from deploy.images import delivery_to
from deploy.kubectl import (
    INGRESS_CONTROLLER,
    INGRESS_NAMESPACE,
    INGRESS_PERMISSIONS,
    NAMESPACE,
    NAMESPACE_FILE,
    Kubectl,
    chosen_context,
)
from deploy.one_service import run_here
from deploy.overlays import LOCAL, chosen_overlay
from deploy.rollout import wait_seconds, wait_until_ready
from tooling.console import confirm, say, step
from tooling.failures import Failure
from tooling.project import SERVICES, Service
from tooling.settings import choice, port_number
from tooling.working_tree import watch_code


def make_secrets(environment: Mapping[str, str]) -> None:
    """Create an overlay's missing secret files."""
    overlay = chosen_overlay(environment)
    if made := overlay.make_secrets():
        say(messages.made_secrets(overlay, made))
    if missing := overlay.missing_files():
        say(messages.missing_files(missing))
    elif not made:
        say(f"Nothing is missing in {messages.shown(overlay.secrets)}.")


def rotate_keys(environment: Mapping[str, str]) -> None:
    """Rotate the token keys, in an overlay's files and in the cluster."""
    overlay = chosen_overlay(environment)
    kubectl = Kubectl(chosen_context(environment))
    key_rotation.check_keys(kubectl, overlay)
    what = f"This rotates the token keys (overlay {overlay.name})"
    _confirm_unless_local(what, kubectl, environment)
    with step("Rotating the keys"):
        outcome = key_rotation.rotate(kubectl, overlay, drop_old=bool(environment.get("DROP_OLD")))
    say(outcome)


def cluster_up(environment: Mapping[str, str]) -> None:
    """Create a cluster on this machine and deploy the overlay `local` to it."""
    seconds = wait_seconds(environment)
    cluster = ensure_cluster(environment)
    kubectl = Kubectl(cluster.context)
    with step("Installing the ingress controller"):
        # Its permissions first: without them it would fail, and try again after half a minute.
        kubectl.run("apply", "--filename", NAMESPACE_FILE)
        kubectl.run("apply", "--namespace", NAMESPACE, "--filename", INGRESS_PERMISSIONS)
        kubectl.run("apply", "--kustomize", INGRESS_CONTROLLER)
    wait_until_ready(kubectl, INGRESS_NAMESPACE, seconds=seconds)
    deploy(kubectl, LOCAL, delivery_to(kubectl, environment), environment)


def cluster_down(environment: Mapping[str, str]) -> None:
    """Delete the cluster that `cluster_up` created, and everything in it."""
    clusters = [cluster for cluster in usable_clusters(environment) if cluster.exists()]
    if not clusters:
        say("There is no cluster to delete.")
    for cluster in clusters:
        question = f"This deletes the cluster {cluster.context}, with every user and thought in it."
        confirm(question, environment)
        with step(f"Deleting the cluster with {cluster.tool.program}"):
            cluster.delete()


def deploy_overlay(environment: Mapping[str, str]) -> None:
    """Deploy an overlay to the cluster of the current context."""
    overlay = chosen_overlay(environment)
    kubectl = Kubectl(chosen_context(environment))
    delivery = delivery_to(kubectl, environment) if overlay.is_local else None
    what = f"This deploys MyThoughts (overlay {overlay.name})"
    confirm(_where(what, kubectl), environment)
    deploy(kubectl, overlay, delivery, environment)


def prepare_chapter(environment: Mapping[str, str]) -> None:
    """Prepare the cluster of the current context for docs/chapter.md."""
    kubectl = Kubectl(chosen_context(environment))
    # That page uses the names in the manifests, which a registry does not serve.
    delivery = delivery_to(kubectl, environment, by_registry=False)
    what = "This deploys MyThoughts, then deletes its three services but no data,"
    confirm(_where(what, kubectl), environment)
    prepare(kubectl, delivery, environment)


def redeploy_service(environment: Mapping[str, str]) -> None:
    """Deploy the code of one service to the cluster of the current context."""
    service = _service(environment)
    kubectl = Kubectl(chosen_context(environment))
    delivery = delivery_to(kubectl, environment)
    what = f"This replaces the pods of {service.workload}"
    _confirm_unless_local(what, kubectl, environment)
    redeploy(kubectl, service, delivery, seconds=wait_seconds(environment))


def cluster_dev(environment: Mapping[str, str]) -> None:
    """Run services in the cluster of the current context from the working tree, until Ctrl-C."""
    changes = watch_code()
    services = [_service(environment)] if environment.get("SERVICE") else SERVICES
    debugger = _debugger(environment)
    if debugger and len(services) > 1:
        raise Failure("DEBUGGER works for one service: add SERVICE=frontend, for example.")
    kubectl = Kubectl(chosen_context(environment))
    delivery = partial(delivery_to, kubectl, environment)
    what = f"This runs {', '.join(service.workload for service in services)} from this working tree"
    _confirm_unless_local(what, kubectl, environment)
    develop(kubectl, services, delivery, changes, debugger)


def dev_here(environment: Mapping[str, str]) -> None:
    """Run one service on this machine, among the others in the cluster of the current context."""
    changes = watch_code()
    service = _service(environment)
    port = _free_port(environment, service.port_setting, service.default_port)
    with suppress(KeyboardInterrupt):
        kubectl = Kubectl(chosen_context(environment))
        run_here(kubectl, service, port, changes, _debugger(environment))


def undeploy(environment: Mapping[str, str]) -> None:
    """Delete everything from the cluster of the current context."""
    kubectl = Kubectl(chosen_context(environment))
    what = "This deletes MyThoughts, its databases and backups, with every user and thought,"
    confirm(_where(what, kubectl), environment)
    with step(f"Deleting the namespace {NAMESPACE}"):
        kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found")


COMMANDS = {
    "secrets": make_secrets,
    "rotate-keys": rotate_keys,
    "cluster-up": cluster_up,
    "cluster-down": cluster_down,
    "deploy": deploy_overlay,
    "redeploy": redeploy_service,
    "cluster-dev": cluster_dev,
    "dev": dev_here,
    "prepare": prepare_chapter,
    "undeploy": undeploy,
}


def _service(environment: Mapping[str, str]) -> Service:
    """The service that SERVICE names."""
    services = {service.workload: service for service in SERVICES}
    return services[choice(environment, "SERVICE", services)]


def _debugger(environment: Mapping[str, str]) -> dict[str, str]:
    """The variable that makes a supervisor start debugpy: the port DEBUGGER, if it is set."""
    if not environment.get("DEBUGGER"):
        return {}
    return {"DEBUGGER": str(_free_port(environment, "DEBUGGER", 0))}


def _free_port(environment: Mapping[str, str], name: str, default: int) -> int:
    """The port that a variable holds; raises Failure if another program uses it."""
    port = port_number(environment, name, default)
    if is_busy(port):
        raise Failure(f"Another program uses the port {port}. Choose another: {name}=PORT")
    return port


def _where(what: str, kubectl: Kubectl) -> str:
    return f"{what} in the cluster {kubectl.context} ({kubectl.server()}), namespace {NAMESPACE}."


def _confirm_unless_local(what: str, kubectl: Kubectl, environment: Mapping[str, str]) -> None:
    """Name the cluster; ask, unless one of the tools created it on this machine."""
    if cluster_of(kubectl.context) is None:
        confirm(_where(what, kubectl), environment)
    else:
        say(_where(what, kubectl))
