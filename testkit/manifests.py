"""Renders the manifests as `kubectl apply -k` does, with temporary secret files.

They are rendered in a copy of their sources, so that nothing in the tree is touched. A variant is
an overlay with the components that are added to it: "production+tracing".
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy.secret_files import DATABASE_AUTHORITY, DATABASES, make_secret_files
from tests.manifests.kubectl import kubectl_path
from tooling.project import ROOT

KUBERNETES = Path("deploy", "kubernetes")
OVERLAYS = KUBERNETES / "overlays"
INGRESS_CONTROLLER = "ingress-controller"
LOAD = "load"
VARIANTS = (
    "local",
    "local+dev",
    "local+monitoring",
    "local+tracing",
    f"local+{LOAD}",
    "production",
    "production+monitoring",
    "production+tracing",
    "production+read-replica",
    "production+gateway-api",
    "production+cloudnative-pg",
    "production+registration",
    "release",
    "sync",
    INGRESS_CONTROLLER,
)
REPLICA_LINE = "# - replica-url="

Manifest = dict[str, Any]


class Manifests:
    """A copy of the manifests in a separate folder, with secret files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for path in ("deploy/kubernetes", "deploy/postgres"):
            shutil.copytree(ROOT / path, folder / path, ignore=shutil.ignore_patterns("secrets"))
        for service in (ROOT / "services").iterdir():
            for part in ("kubernetes", "demo"):
                if (service / part).is_dir():
                    shutil.copytree(service / part, folder / "services" / service.name / part)
        make_secret_files(folder / OVERLAYS / "local" / "secrets", with_databases=True)
        secrets = folder / OVERLAYS / "production" / "secrets"
        make_secret_files(secrets, with_databases=False)
        for name in DATABASES:
            for role in ("", "-owner"):
                address = f"postgresql://{name}{role}@db.invalid/{name}"
                (secrets / f"{name}-database{role}-url").write_text(address)
        (secrets / DATABASE_AUTHORITY).write_text("-----BEGIN CERTIFICATE-----")
        (secrets / "thoughts-database-replica-url").write_text("postgresql://thoughts@db2.invalid")

    @cache  # noqa: B019 (as long-lived as the process)
    def render(self, variant: str) -> tuple[Manifest, ...]:
        """The objects of a variant, with those that a Job of `release` generates in the cluster."""
        if variant == f"local+{LOAD}":
            return self.render("local") + _kustomize(self._folder / KUBERNETES / LOAD)
        objects = _kustomize(self._kustomization(variant))
        if variant != "release":
            return objects
        # They are those of `local`: deploy/tests/test_generated_secrets.py.
        kinds_and_names = ("Secret", "ConfigMap token-public-keys")
        return objects + tuple(
            o
            for o in self.render("local")
            if f"{o['kind']} {o['metadata']['name']}".startswith(kinds_and_names)
        )

    def _kustomization(self, variant: str) -> Path:
        """The folder to render; a new one if components are added to the overlay."""
        overlay, *components = variant.split("+")
        if overlay == INGRESS_CONTROLLER:
            return self._folder / KUBERNETES / overlay
        source = self._folder / OVERLAYS / overlay
        if not components:
            return source
        target = source.with_name(variant)
        shutil.copytree(source, target)
        _add_components(target / "kustomization.yaml", components)
        return target


def _add_components(path: Path, components: list[str]) -> None:
    """Add components to a kustomization, as an operator would by hand."""
    text = path.read_text()
    if "read-replica" in components:
        text = text.replace(REPLICA_LINE, REPLICA_LINE.removeprefix("# "))
    kustomization = yaml.safe_load(text)
    added = [os.path.join("../../components", name) for name in components]  # noqa: PTH118
    kustomization["components"] = [*kustomization.get("components", []), *added]
    path.write_text(yaml.safe_dump(kustomization))


def _kustomize(folder: Path) -> tuple[Manifest, ...]:
    command = [kubectl_path(), "kustomize", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))
