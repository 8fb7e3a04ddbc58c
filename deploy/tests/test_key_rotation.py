"""`make rotate-keys`: new keys, in an overlay's files and in the cluster."""

import json
from typing import Any

import pytest

from testkit.stand_ins import Workplace

ROTATE = {"CONTEXT": "kind-mythoughts"}
CONFIG_MAP = "kubectl get configmap/token-public-keys"


@pytest.fixture
def deployed(workplace: Workplace) -> Workplace:
    """A workplace whose cluster has the same keys as the files."""
    public = (workplace.secrets / "public-keys.json").read_text()
    workplace.answer(CONFIG_MAP, {"data": {"public-keys.json": public}})
    return workplace


def keys(workplace: Workplace, name: str = "public") -> list[dict[str, Any]]:
    """The keys in a file, newest first."""
    document = json.loads((workplace.secrets / f"{name}-keys.json").read_text())
    found: list[dict[str, Any]] = document["keys"]
    return found


def test_new_key_is_added(deployed: Workplace) -> None:
    """Both files get the new key, and keep the old one."""
    (old,) = keys(deployed)

    outcome = deployed.run("rotate-keys", **ROTATE)

    assert outcome.status == 0, outcome.errors
    assert [key["kid"] for key in keys(deployed)][1:] == [old["kid"]]
    assert [key["kid"] for key in keys(deployed)] == [
        key["kid"] for key in keys(deployed, "private")
    ]


def test_new_key_signs_when_every_pod_knows_it(deployed: Workplace) -> None:
    """The new key waits three minutes, longer than a changed ConfigMap takes to reach a pod."""
    old = keys(deployed)[0]

    deployed.run("rotate-keys", **ROTATE)

    assert keys(deployed)[0]["nbf"] >= old["nbf"] + 180


def test_only_the_keys_are_applied(deployed: Workplace) -> None:
    """Nothing else in the overlay is touched."""
    deployed.run("rotate-keys", **ROTATE)

    assert [
        call.words[3:] for call in deployed.calls("kubectl --context kind-mythoughts apply")
    ] == [
        [
            "apply",
            "--kustomize",
            "deploy/kubernetes/overlays/local",
            "--selector",
            "app.kubernetes.io/component=token-keys",
        ]
    ]


def test_old_keys_can_be_dropped(deployed: Workplace) -> None:
    """DROP_OLD=1 keeps only the new key, and says that everybody has to log in again."""
    (old,) = keys(deployed)

    outcome = deployed.run("rotate-keys", **ROTATE, DROP_OLD="1")

    (new,) = keys(deployed)
    assert new["kid"] != old["kid"]
    assert "everybody has to log in again" in outcome.output


def test_keys_of_another_deployment_are_not_dropped(deployed: Workplace) -> None:
    """Where the cluster has other keys than the files, nothing is changed."""
    deployed.answer(CONFIG_MAP, {"data": {"public-keys.json": '{"keys": []}'}})
    before = keys(deployed, "private")

    outcome = deployed.run("rotate-keys", **ROTATE)

    assert outcome.status == 1
    assert "they were deployed from elsewhere" in outcome.errors
    assert keys(deployed, "private") == before


def test_missing_keys_are_not_made(deployed: Workplace) -> None:
    """New keys would invalidate all tokens, so missing key files are an error."""
    (deployed.secrets / "public-keys.json").unlink()

    outcome = deployed.run("rotate-keys", **ROTATE)

    assert outcome.status == 1
    assert "needs the keys in use" in outcome.errors


def test_failed_application_is_explained(deployed: Workplace) -> None:
    """If the cluster rejects the keys, the message says where they are and what to run."""
    deployed.answer("kubectl apply", status=1, error="the server is away")

    outcome = deployed.run("rotate-keys", **ROTATE)

    assert outcome.status == 1
    assert "kubectl --context kind-mythoughts apply --kustomize" in outcome.errors
    assert "run this kubectl command again" in outcome.errors


def test_unknown_cluster_is_asked_about(deployed: Workplace) -> None:
    """In a cluster that may belong to others, nothing is rotated without confirmation."""
    outcome = deployed.run("rotate-keys")

    assert outcome.status == 1
    assert len(keys(deployed)) == 1
