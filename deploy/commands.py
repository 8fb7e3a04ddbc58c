"""The Makefile's verbs for a Kubernetes cluster, and the variables that they read."""

from collections.abc import Mapping

from deploy import key_rotation, messages
from deploy.cluster_tools import cluster_of, usable_clusters
from deploy.clusters import ensure_cluster
from deploy.deployment import deploy, redeploy
from deploy.failures import DeployError
from deploy.images import loader_for
from deploy.kubectl import INGRESS_CONTROLLER, INGRESS_NAMESPACE, NAMESPACE, Kubectl, chosen_context
from deploy.overlays import LOCAL, chosen_overlay
from deploy.rollout import wait_seconds, wait_until_ready
from deploy.services import chosen_service
from local.console import complain, confirms, say, step


class Refused(Exception):
    """The user did not confirm."""


def make_secrets(environment: Mapping[str, str]) -> None:
    """Create an overlay's missing secret files."""
    overlay = chosen_overlay(environment)
    if made := overlay.make_secrets():
        say(messages.made_secrets(overlay, made))
    if missing := overlay.missing_addresses():
        say(messages.missing_addresses(missing))
    elif not made:
        say(f"Nothing is missing in {messages.shown(overlay.secrets)}.")


def rotate_keys(environment: Mapping[str, str]) -> None:
    """Rotate the token keys, in an overlay's files and in the cluster."""
    overlay = chosen_overlay(environment)
    kubectl = Kubectl(chosen_context(environment))
    key_rotation.check_keys(kubectl, overlay)
    _ask_unless_ours(f"This rotates the token keys (overlay {overlay.name})", kubectl, environment)
    with step("Rotating the keys"):
        outcome = key_rotation.rotate(kubectl, overlay, drop_old=bool(environment.get("DROP_OLD")))
    say(outcome)


def cluster_up(environment: Mapping[str, str]) -> None:
    """Create a cluster on this machine and deploy the overlay `local` to it."""
    seconds = wait_seconds(environment)
    cluster = ensure_cluster(environment)
    kubectl = Kubectl(cluster.context)
    with step("Installing the ingress controller"):
        kubectl.run("apply", "--kustomize", INGRESS_CONTROLLER)
    wait_until_ready(kubectl, INGRESS_NAMESPACE, seconds=seconds)
    deploy(kubectl, LOCAL, cluster.load, environment)


def cluster_down(environment: Mapping[str, str]) -> None:
    """Delete the cluster that `cluster_up` created, and everything in it."""
    clusters = [cluster for cluster in usable_clusters(environment) if cluster.exists()]
    if not clusters:
        say("There is no cluster to delete.")
    for cluster in clusters:
        question = f"This deletes the cluster {cluster.context}, with every user and thought in it."
        _ask(question, environment)
        with step(f"Deleting the cluster with {cluster.tool.program}"):
            cluster.delete()


def deploy_overlay(environment: Mapping[str, str]) -> None:
    """Deploy an overlay to the cluster of the current context."""
    overlay = chosen_overlay(environment)
    kubectl = Kubectl(chosen_context(environment))
    load = loader_for(kubectl.context, environment) if overlay.is_local else None
    _ask(_where(f"This deploys MyThoughts (overlay {overlay.name})", kubectl), environment)
    deploy(kubectl, overlay, load, environment)


def redeploy_service(environment: Mapping[str, str]) -> None:
    """Deploy the code of one service to the cluster of the current context."""
    service = chosen_service(environment)
    kubectl = Kubectl(chosen_context(environment))
    load = loader_for(kubectl.context, environment)
    _ask_unless_ours(f"This replaces the pods of {service.name}", kubectl, environment)
    redeploy(kubectl, service, load, seconds=wait_seconds(environment))


def undeploy(environment: Mapping[str, str]) -> None:
    """Delete everything from the cluster of the current context."""
    kubectl = Kubectl(chosen_context(environment))
    what = "This deletes MyThoughts, its databases and backups, with every user and thought,"
    _ask(_where(what, kubectl), environment)
    with step(f"Deleting the namespace {NAMESPACE}"):
        kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found")


COMMANDS = {
    "secrets": make_secrets,
    "rotate-keys": rotate_keys,
    "cluster-up": cluster_up,
    "cluster-down": cluster_down,
    "deploy": deploy_overlay,
    "redeploy": redeploy_service,
    "undeploy": undeploy,
}


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the verb that is named; returns the exit status."""
    verb = arguments[0]
    try:
        COMMANDS[verb](environment)
    except Refused:
        complain(f"Nothing was done. To skip this question: make {verb} YES=1")
        return 1
    except DeployError as error:
        complain(f"\n{error}")
        return 1
    return 0


def _where(what: str, kubectl: Kubectl) -> str:
    return f"{what} in the cluster {kubectl.context} ({kubectl.server()}), namespace {NAMESPACE}."


def _ask_unless_ours(what: str, kubectl: Kubectl, environment: Mapping[str, str]) -> None:
    """Name the cluster; ask, unless one of the tools created it on this machine."""
    if cluster_of(kubectl.context) is None:
        _ask(_where(what, kubectl), environment)
    else:
        say(_where(what, kubectl))


def _ask(question: str, environment: Mapping[str, str]) -> None:
    """Raise Refused unless the user confirms, now or with YES=1."""
    if environment.get("YES"):
        say(question)
    elif not confirms(question):
        raise Refused
