"""The picture of the cluster, which `make picture` draws."""

import pytest

from testkit.manifest_objects import of_kind
from testkit.manifests import Manifest
from tests.manifests.picture import PICTURE, boxes_of, draw


def test_picture_is_that_of_the_manifests(local: tuple[Manifest, ...]) -> None:
    """docs/images/cluster.svg is what `make picture` would draw now."""
    assert PICTURE.read_text() == draw(boxes_of(local)), "Run: make picture"


@pytest.mark.parametrize(
    "kind", ["Ingress", "Service", "Deployment", "StatefulSet", "CronJob", "Secret"]
)
def test_picture_has_every_object(local: tuple[Manifest, ...], kind: str) -> None:
    """Each is a box, or a line in the box of a pod that mounts it."""
    boxes = list(boxes_of(local))
    shown = {box.key for box in boxes} | {line for box in boxes for line in box.lines}

    assert {f"{kind} {o['metadata']['name']}" for o in of_kind(local, kind)} <= shown


def test_arrows_are_those_of_the_map(local: tuple[Manifest, ...]) -> None:
    """Who calls whom, as in docs/architecture.md, and the backup both databases."""
    calls = {
        (box.name, other.removeprefix("Service "))
        for box in boxes_of(local)
        for other in box.leads_to
        if box.kind in ("Deployment", "CronJob") and other.startswith("Service ")
    }

    assert calls == {
        ("frontend", "thoughts-service"),
        ("frontend", "users-service"),
        ("thoughts-backend", "users-service"),
        ("thoughts-backend", "thoughts-database"),
        ("users-backend", "users-database"),
        ("back-up", "thoughts-database"),
        ("back-up", "users-database"),
    }
