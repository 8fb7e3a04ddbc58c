"""What the verbs say when they are done, or cannot go on."""

from collections.abc import Sequence
from pathlib import Path

from deploy.kubectl import NAMESPACE, Kubectl
from deploy.overlays import Overlay
from deploy.services import Service
from local.services import ROOT


def made_secrets(overlay: Overlay, names: Sequence[str]) -> str:
    """Which secret files were made."""
    return f"Made in {shown(overlay.secrets)}: {', '.join(names)}."


def missing_addresses(files: Sequence[Path]) -> str:
    """What to do about files that only the operator can write."""
    names = " and ".join(shown(file) for file in files)
    return (
        "Write the address of each database, postgresql://USER:PASSWORD@HOST/NAME, "
        f"into a file of its own: {names}"
    )


def how_to_go_on(overlay: Overlay) -> str:
    """Who can log in, and which verbs come next."""
    return f"""
  Log in as bruce (password: bruce) or stephen (password: stephen).
  The administrator is admin; the password is in {shown(overlay.secrets / "admin-password")}.

  `make redeploy SERVICE=frontend` brings a change of one service to the cluster,
  `make undeploy` deletes everything from it.
"""


def old_pods_serve(why: str, kubectl: Kubectl, service: Service) -> str:
    """What it means that a new image is not ready, and how to go back."""
    return (
        f"{why}\nThe pods of before serve until the new ones are ready. To give these up:\n"
        f"    kubectl --context {kubectl.context} --namespace {NAMESPACE} "
        f"rollout undo deployment/{service.name}"
    )


def shown(path: Path) -> str:
    """A path as seen from the root of the repository, where make runs."""
    return str(path.relative_to(ROOT))
