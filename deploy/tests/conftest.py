"""The workplace in which the verbs are tested."""

import shutil
from pathlib import Path

import pytest

from deploy.secret_files import make_secret_files
from testkit.stand_ins import Workplace, items, workload

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
