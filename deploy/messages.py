"""The messages that the verbs print when they finish or cannot continue."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from deploy.addresses import Addresses
from deploy.kubectl import INGRESS_CONTROLLER, NAMESPACE, Kubectl
from deploy.overlays import Overlay
from tooling.messages import accounts, pages
from tooling.project import ROOT, Service


def made_secrets(overlay: Overlay, names: Sequence[str]) -> str:
    """Which secret files were created."""
    return f"Created in {shown(overlay.secrets)}: {', '.join(names)}."


def missing_files(files: Sequence[Path]) -> str:
    """How to write the files that only the operator can write."""
    names = "\n".join(f"  {shown(file)}" for file in files)
    return (
        "Write the addresses of the databases, postgresql://ROLE:PASSWORD@HOST/NAME, for the "
        "services and for the owners, and the certificate of their authority, to these files:\n"
        f"{names}"
    )


def addresses(found: Addresses, kubectl: Kubectl) -> str:
    """The addresses of the pages through the Ingress and at the node ports."""
    command = f"kubectl --context {kubectl.context}"
    parts = []
    if found.ingress:
        parts.append(pages(found.hosts))
        node = urlsplit(found.ingress).hostname
        if node != "localhost":
            names = " ".join(str(urlsplit(host).hostname) for host in found.hosts.values())
            parts.append(f"  For these addresses, /etc/hosts needs this line: {node} {names}")
    else:
        parts.append(
            "  The Ingress does not answer on this machine. To install an ingress controller:\n"
            f"  {command} apply --kustomize {INGRESS_CONTROLLER}"
        )
    if found.services:
        parts.append(pages(found.services))
    else:
        parts.append(
            "  No node port answers on this machine. To reach the Frontend at port 8002:\n"
            f"  {command} --namespace {NAMESPACE} port-forward service/frontend-service 8002:80"
        )
    return "\n\n".join(parts)


PREPARED = """\
The images, keys, databases and demonstration data are in the cluster. The three services are
not: docs/chapter.md applies them one by one."""


def how_to_go_on(overlay: Overlay) -> str:
    """How to log in, and which verbs to use next."""
    return f"""
{accounts(shown(overlay.secrets / "admin-password"))}

  `make redeploy SERVICE=frontend` deploys a change of one service to the cluster,
  `make undeploy` deletes everything from it.
"""


def old_pods_serve(why: str, kubectl: Kubectl, service: Service) -> str:
    """What happens while a new image is not ready, and how to roll back."""
    return (
        f"{why}\nThe old pods keep serving until the new ones are ready. To roll back:\n"
        f"    kubectl --context {kubectl.context} --namespace {NAMESPACE} "
        f"rollout undo deployment/{service.workload}"
    )


def shown(path: Path) -> str:
    """A path relative to the root of the repository, where make runs."""
    return str(path.relative_to(ROOT))
