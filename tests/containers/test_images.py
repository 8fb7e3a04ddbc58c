"""The contents of the three images."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from testkit.docker import IMAGES, Image, docker, inspected, run_docker

INSIDE = Path(__file__).with_name("inside.py")


@pytest.fixture(scope="module")
def contents() -> dict[str, dict[str, Any]]:
    """The output of `inside.py` in each image."""
    options = ("--rm", "--interactive", "--network=none", "--entrypoint=python")
    return {
        image.name: json.loads(
            run_docker("run", *options, image.reference, "-", stdin=INSIDE.read_text()).stdout
        )
        for image in IMAGES
    }


def locked(image: Image, python_full_version: str) -> dict[str, str]:
    """The packages that the lock requires in the image, with their versions."""
    environment = {
        "python_full_version": python_full_version,
        "python_version": python_full_version.rpartition(".")[0],
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    lines = re.findall(r"^([a-z0-9][^\\\n]*)", image.lock.read_text(), re.MULTILINE)
    wanted = [Requirement(line.strip()) for line in lines]
    return {
        item.name: str(item.specifier).removeprefix("==")
        for item in wanted
        if item.marker is None or item.marker.evaluate(environment)
    }


def test_packages_are_those_of_the_lock(image: Image, contents: dict[str, dict[str, Any]]) -> None:
    """An image contains the locked packages, the chassis and its service, and nothing else."""
    facts = contents[image.name]
    own = {"mythoughts-chassis": "1.0.0", image.name: image.version}

    expected = locked(image, facts["python_full_version"]) | own

    assert facts["packages"] == expected


def test_nothing_can_be_installed_or_compiled(
    image: Image, contents: dict[str, dict[str, Any]]
) -> None:
    """An image contains no installer, compiler or build tool."""
    assert contents[image.name]["tools"] == []
    assert contents[image.name]["modules"] == []


def test_packages_are_compiled(image: Image, contents: dict[str, dict[str, Any]]) -> None:
    """Every module has bytecode, which a read-only container could not write."""
    assert contents[image.name]["not_compiled"] == []


def test_image_starts_without_a_shell_and_without_rights(image: Image) -> None:
    """The service is the first process, and runs as a numeric non-root user."""
    configuration = inspected(image.reference)["Config"]

    assert configuration["Entrypoint"] == ["python", "-m", image.service.package]
    assert configuration["Cmd"] is None
    assert configuration["User"] == "10001:10001"


def test_image_says_what_it_is(image: Image) -> None:
    """The labels contain the service's name, version, licence and commit."""
    labels = inspected(image.reference)["Config"]["Labels"]

    names = {name.removeprefix("org.opencontainers.image.") for name in labels}
    assert names >= {"title", "description", "version", "licenses", "revision", "created"}
    assert labels["org.opencontainers.image.title"] == image.service.title
    assert labels["org.opencontainers.image.version"] == image.version


def test_change_of_code_makes_a_small_layer(image: Image) -> None:
    """The chassis and the service are the last layers, of well under a megabyte each."""
    options = ("--human=false", "--format", "{{.Size}} {{.CreatedBy}}")
    layers = [
        (int(size), command)
        for size, _, command in (
            line.partition(" ")
            for line in docker("history", *options, image.reference).splitlines()
        )
        if int(size)
    ]

    (service, chassis), others = layers[:2], layers[2:]
    assert "COPY /service" in service[1]
    assert "COPY /chassis" in chassis[1]
    assert max(service[0], chassis[0]) < 700_000 < others[0][0]
