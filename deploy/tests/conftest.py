"""The workplaces in which the verbs are tested."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.secret_files import make_secret_files
from testkit.developer import PACKAGES, SERVICE, Developer, Run, deployment
from testkit.own_server import temporary_folder
from testkit.pretend_cluster import PretendCluster
from testkit.pretend_pod import Pod
from testkit.stand_ins import Workplace, items, workload
from tooling.project import ROOT

ALL_READY = items(*(workload(name) for name in ("thoughts-backend", "users-backend", "frontend")))
MANIFESTS = """\
image: mythoughts/thoughts-backend:1.0.0
---
image: mythoughts/users-backend:1.0.0
---
image: mythoughts/frontend:1.0.0
"""


@pytest.fixture(scope="session")
def made_secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the secret files of the overlay `local`; tests do not change it."""
    folder = tmp_path_factory.mktemp("secrets")
    make_secret_files(folder, with_databases=True)
    return folder


@pytest.fixture
def workplace(tmp_path: Path, made_secrets: Path) -> Workplace:
    """A workplace with kubectl, docker and make, and a cluster where everything is ready."""
    place = Workplace(tmp_path)
    shutil.copytree(made_secrets, place.secrets)
    place.install("kubectl", "docker", "make")
    place.answer("kubectl config get-contexts", "kind-mythoughts\nsomewhere\n")
    place.answer("kubectl config current-context", "somewhere\n")
    place.answer("kubectl config view", "https://192.0.2.1:6443")
    place.answer("kubectl kustomize", MANIFESTS)
    place.answer("kubectl get deployments,statefulsets,pods", ALL_READY)
    place.answer("kubectl get deployments --namespace", items())
    place.answer("kubectl get services", items())
    place.answer("kubectl get nodes", items())
    for number, name in enumerate(("thoughts-backend", "users-backend", "frontend")):
        inspected = f"docker image inspect --format {{{{.Id}}}} mythoughts/{name}:1.0.0"
        place.answer(inspected, f"sha256:{number}" + "a" * 63)
    return place


@pytest.fixture
def developer() -> Iterator[Developer]:
    """A developer with a cluster where the images of all services run."""
    with temporary_folder() as folder:
        tree = folder / "a tree 树"
        for part in ("deploy", "tooling"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("secrets"))
        chassis = tree / "chassis" / "src" / "mythoughts_chassis"
        chassis.mkdir(parents=True)
        (chassis / "__init__.py").touch()
        shutil.copy(ROOT / "chassis/src/mythoughts_chassis/activation.py", chassis)
        development = tree / "deploy/kubernetes/components/dev"
        cluster = PretendCluster(folder, [deployment(name) for name in PACKAGES], development)
        developer = Developer(tree, cluster)
        for workload, package in PACKAGES.items():
            developer.package(workload).mkdir(parents=True)
            (developer.package(workload) / "__init__.py").touch()
            code = SERVICE.replace("PACKAGE", package)
            (developer.package(workload) / "__main__.py").write_text(code)
            (developer.package(workload) / "templates").mkdir()
            developer.write_text("one", workload)
            description = tree / "services" / package / "pyproject.toml"
            shutil.copy(ROOT / "services" / package / "pyproject.toml", description)
        yield developer
        developer.stop()
        cluster.stop()


@pytest.fixture
def frontend(developer: Developer) -> tuple[Run, Pod]:
    """A run that develops the Frontend, and its pod, which serves the working tree."""
    run = developer.start(SERVICE="frontend")
    run.wait_for("live in 1 pod")
    (pod,) = developer.cluster.pods_of("frontend", ready=1)
    return run, pod
