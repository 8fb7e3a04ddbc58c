"""Registries: where there is one, images are pushed, and only layers that are new travel."""

import pytest

from testkit.stand_ins import Workplace, items, workload

TAGGED = "mythoughts/frontend:1.0.0-2aaaaaaaaaaa"
ANNOUNCED = "kubectl get configmap/local-registry-hosting --namespace=kube-public"
# As kind's script and k3d write it.
KIND = 'host: "localhost:5001"\nhelp: "https://kind.sigs.k8s.io/docs/user/local-registry/"\n'
K3D = "help: https://k3d.io/\nhost: localhost:5001\nhostFromContainerRuntime: registry:5000\n"


@pytest.fixture
def deployed(workplace: Workplace) -> Workplace:
    """A workplace where the Frontend runs in clusters with kind and with other tools."""
    workplace.install("kind", "load-images")
    workplace.answer("kubectl get deployment/frontend", workload("frontend"))
    workplace.answer("kubectl get replicasets", items())
    return workplace


def redeploy(workplace: Workplace, **settings: str) -> str:
    """Deploy the Frontend again; returns the image that its container gets."""
    settings = {"SERVICE": "frontend", "YES": "1", **settings}
    outcome = workplace.run("redeploy", **settings)
    assert outcome.status == 0, outcome.errors
    (changed,) = [call for call in workplace.calls("kubectl") if "set image" in call.line]
    return changed.words[6].removeprefix("frontend=")


def pushed(workplace: Workplace) -> list[str]:
    """The images that were pushed."""
    return [call.words[-1] for call in workplace.calls("docker image push")]


def test_registry_can_be_named(deployed: Workplace) -> None:
    """REGISTRY names one that this machine pushes to and the cluster pulls from."""
    image = redeploy(deployed, REGISTRY="localhost:5001")

    assert image == f"localhost:5001/{TAGGED}"
    assert pushed(deployed) == [image]


def test_announced_registry_is_used(deployed: Workplace) -> None:
    """A kind cluster with a registry pulls from it instead of being loaded."""
    deployed.answer(ANNOUNCED, KIND)

    image = redeploy(deployed, CONTEXT="kind-mythoughts")

    assert image == f"localhost:5001/{TAGGED}"
    assert pushed(deployed) == [image]
    assert deployed.calls("kind load") == []


def test_nodes_may_name_the_registry_differently(deployed: Workplace) -> None:
    """Pods get the name that the nodes know, and Docker the one that this machine knows."""
    deployed.answer(ANNOUNCED, K3D)

    image = redeploy(deployed)

    assert image == f"registry:5000/{TAGGED}"
    assert pushed(deployed) == [f"localhost:5001/{TAGGED}"]


def test_loader_overrules_the_announced_registry(deployed: Workplace) -> None:
    """What the user sets counts, for example if the registry has stopped."""
    deployed.answer(ANNOUNCED, KIND)

    image = redeploy(deployed, IMAGE_LOADER="load-images")

    assert image == TAGGED
    assert pushed(deployed) == []
    assert deployed.calls("load-images")


def test_builds_in_the_registry_are_told_from_others(deployed: Workplace) -> None:
    """Old builds are deleted under the registry's name, where Docker has them."""
    name = "localhost:5001/mythoughts/frontend"
    deployed.answer(f"docker image ls --format {{{{.Tag}}}} {name}", "1.0.0-oldest\n")

    redeploy(deployed, REGISTRY="localhost:5001")

    assert [call.words[-1] for call in deployed.calls("docker image rm")] == [
        f"{name}:1.0.0-oldest"
    ]


def test_deployed_manifests_name_the_registry(deployed: Workplace) -> None:
    """`make deploy` pushes all three, and applies manifests with the names of the registry."""
    outcome = deployed.run("deploy", YES="1", REGISTRY="localhost:5001")

    (applied,) = deployed.calls("kubectl --context somewhere apply")
    assert outcome.status == 0, outcome.errors
    assert len(pushed(deployed)) == 3
    assert all(f"image: {image}\n" in applied.text for image in pushed(deployed))


def test_image_of_any_registry_is_replaced(deployed: Workplace) -> None:
    """A container that runs a released image, or one from another registry, gets the build."""
    frontend = workload("frontend")
    released = "ghcr.io/someone/mythoughts/frontend:1.0.0@sha256:" + "0" * 64
    frontend["spec"]["template"]["spec"]["containers"][0]["image"] = released
    deployed.answer("kubectl get deployment/frontend", frontend)

    assert redeploy(deployed, IMAGE_LOADER="none") == TAGGED
