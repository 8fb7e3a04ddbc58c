"""Rotating the token keys where services read them from a cluster's objects."""

import json

from deploy.kubectl import NAMESPACE, Kubectl
from deploy.overlays import Overlay
from deploy.secret_files import PUBLIC_KEYS, rotate_keys
from tooling.failures import Failure
from tooling.project import ROOT

# Kubernetes updates a changed Secret or ConfigMap in a pod within about 90 s.
ACTIVATE_IN_SECONDS = 180


def check_keys(kubectl: Kubectl, overlay: Overlay) -> None:
    """Raise Failure unless the cluster has the same keys as the overlay's files.

    Otherwise rotating would drop the cluster's keys, and with them every token.
    """
    file = overlay.secrets / PUBLIC_KEYS
    shown = file.relative_to(ROOT)
    if not file.exists():
        raise Failure(f"There is no {shown}. `make rotate-keys` needs the keys in use.")
    (deployed,) = kubectl.get("configmap/token-public-keys")
    if json.loads(deployed["data"][PUBLIC_KEYS]) != json.loads(file.read_text()):
        raise Failure(
            f"The keys in the cluster {kubectl.context} differ from those in {shown}: "
            "they were deployed from elsewhere, or the files were rotated later and not deployed.\n"
            "To replace the keys in the cluster, which invalidates all their tokens:\n"
            f"    {' '.join(kubectl.command(*_applying(overlay)))}"
        )


def rotate(kubectl: Kubectl, overlay: Overlay, *, drop_old: bool) -> str:
    """Add a key that signs once every pod knows it, or replace all keys.

    Returns what this means for users. Raises Failure.
    """
    options = ["--drop-old"] if drop_old else ["--activate-in", str(ACTIVATE_IN_SECONDS)]
    rotate_keys(overlay.secrets, *options)
    try:
        kubectl.run(*_applying(overlay))
    except Failure as error:
        raise Failure(
            f"{error}\nThe new keys are in {overlay.secrets}, but not in the cluster. "
            "Once the problem is fixed, run this kubectl command again, not `make rotate-keys`."
        ) from error
    if drop_old:
        return (
            "All old keys are dropped: once the pods have the new one, within about 90 s, "
            "everybody has to log in again. For immediate effect: kubectl --context "
            f"{kubectl.context} --namespace {NAMESPACE} rollout restart deployment"
        )
    return (
        f"The new key starts signing in {ACTIVATE_IN_SECONDS} s. "
        "Nothing restarts, and all tokens stay valid."
    )


def _applying(overlay: Overlay) -> list[str]:
    """The arguments of kubectl to apply the two objects with the keys to the cluster."""
    selector = "app.kubernetes.io/component=token-keys"
    folder = str(overlay.folder.relative_to(ROOT))
    return ["apply", "--kustomize", folder, "--selector", selector]
