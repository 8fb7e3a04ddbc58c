"""The system as `docker compose up` runs it: its parts, and the data it keeps."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from testkit.compose_project import Project
from testkit.docker import IMAGES, Image, docker
from testkit.system import System, unique
from testkit.thoughts import own_texts, share
from tooling.project import ROOT

SERVICES = ("thoughts-backend", "users-backend", "frontend")
DATABASES = ("thoughts-database", "users-database")
# Each container that keeps running, and the others that it may reach.
ARROWS = {
    "thoughts-backend": {"thoughts-database", "users-backend", "frontend"},
    "users-backend": {"users-database", "thoughts-backend", "frontend"},
    "frontend": {"thoughts-backend", "users-backend"},
}
PORTS = {name: 5432 if name in DATABASES else 8000 for name in (*SERVICES, *DATABASES)}
REACHES = """
import socket
for name, port in {others}.items():
    try:
        socket.create_connection((name, port), 2).close()
        print(name)
    except OSError:
        pass
"""
READ_SECRETS = """
from pathlib import Path
for path in Path("/secrets").glob("*/*"):
    if path.suffix != ".json":
        print(path.read_text())
"""


def users_of_volume(project: Project, volume: str) -> set[str]:
    """The services whose containers mount this volume of the project."""
    ids = docker("ps", "--all", "--quiet", f"--filter=volume={project.name}_{volume}").split()
    label = '{{index .Config.Labels "com.docker.compose.service"}}'
    return set(docker("inspect", f"--format={label}", *ids).split())


@pytest.mark.parametrize("service", SERVICES)
def test_containers_become_healthy(project: Project, service: str) -> None:
    """The image's health check finds the service ready."""
    assert project.health(service) == "healthy"


def test_people_find_something_to_read(project_system: System) -> None:
    """The demonstration data are loaded, and their users can log in."""
    assert project_system.log_in("bruce", "bruce")
    assert project_system.thoughts().get("/api/thoughts/?username=bruce").json()


@pytest.mark.parametrize("service", [*SERVICES, *DATABASES])
def test_containers_are_hardened(project: Project, service: str) -> None:
    """A container can write only to memory and volumes, and neither has nor can gain privileges."""
    details = project.details(service)
    host = details["HostConfig"]

    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["CapAdd"]
    assert details["Config"]["User"] in ("10001:10001", "999:999")


@pytest.mark.parametrize("service", SERVICES)
def test_services_reach_only_what_they_use(project: Project, service: str) -> None:
    """A service reaches only its own database; the Frontend reaches none."""
    others = {name: port for name, port in PORTS.items() if name != service}

    reached = project.python(service, REACHES.format(others=others)).split()

    assert set(reached) == ARROWS[service]


def test_private_keys_are_mounted_where_they_are_used(project: Project) -> None:
    """Only the Users Backend has the private keys, besides the container that creates them."""
    makers = {"secrets", "keys"}

    assert users_of_volume(project, "token-private-keys") - makers == {"users-backend"}


@pytest.mark.parametrize("name", ["thoughts", "users"])
def test_passwords_are_mounted_where_they_are_used(project: Project, name: str) -> None:
    """A database's address is mounted in its backend's containers, its passwords in its server."""
    owners = {f"{name}-migrations", f"{name}-demo"}
    backend = {f"{name}-backend"} | owners

    assert users_of_volume(project, f"{name}-database-owner") - {"secrets"} == owners
    assert users_of_volume(project, f"{name}-database") - {"secrets", "admin"} == backend
    assert users_of_volume(project, f"{name}-database-server") - {"secrets"} == {f"{name}-database"}


def test_secrets_are_told_nobody(project: Project) -> None:
    """No password is in a log, or in the environment or command of a container."""
    # The files belong to the accounts that read them.
    as_root = ("run", "--rm", "--cap-add=DAC_READ_SEARCH", "--entrypoint=python", "secrets", "-c")
    made = project.compose(*as_root, READ_SECRETS).split()
    passwords = {urlsplit(text).password or text for text in made}

    ids = project.compose("ps", "--all", "--quiet").split()
    told = project.compose("logs", "--no-color") + docker("inspect", *ids)

    assert len(passwords) == 7
    assert [password for password in passwords if password in told] == []


def test_data_and_keys_survive(project: Project, project_system: System) -> None:
    """After `down` and `up`, thoughts, users and tokens are still valid."""
    user = project_system.new_user()
    text = unique("kept")
    share(project_system.thoughts(user), text)

    project.compose("down")
    project.up()

    assert own_texts(project_system.thoughts(user)) == [text]


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_folder_of_a_service_starts_it_alone(image: Image) -> None:
    """`docker compose up` in a service's folder starts that service alone, ready to serve."""
    with Project(image.service.folder / "compose.yaml") as project:
        project.up()

        running = set(project.compose("ps", "--services").split())
        health = project.health(image.name)

    own_database = {f"{image.service.name}-database"} & set(DATABASES)
    assert running == {image.name} | own_database
    assert health == "healthy"


def test_root_has_the_services_of_the_folders() -> None:
    """The whole system consists of exactly the services defined in the services' folders."""
    whole = services_in(ROOT / "compose.yaml")

    parts: dict[str, Any] = {}
    for image in IMAGES:
        parts |= services_in(image.service.folder / "compose.yaml")

    for service in (*whole.values(), *parts.values()):
        service.pop("depends_on", None)
    assert parts == whole


def services_in(file: Path) -> dict[str, Any]:
    """The services that Compose finds in a file."""
    output = docker("compose", f"--file={file}", "config", "--format=json")
    services: dict[str, Any] = json.loads(output)["services"]
    return services
