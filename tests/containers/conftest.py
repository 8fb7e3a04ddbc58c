"""The images, and a system of containers that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.containers.docker import IMAGES, Image
from tests.containers.project import Project
from tests.system import System


@pytest.fixture(params=IMAGES, ids=lambda image: image.name)
def image(request: pytest.FixtureRequest) -> Image:
    """Each of the three images."""
    image: Image = request.param
    return image


@pytest.fixture(scope="session")
def started_project() -> Iterator[Project]:
    """The whole system, started once."""
    with Project() as project:
        project.up()
        yield project


@pytest.fixture
def project(started_project: Project) -> Iterator[Project]:
    """The whole system; what a test has stopped is started after it."""
    yield started_project
    started_project.up()


@pytest.fixture(scope="session")
def project_system(started_project: Project) -> System:
    """How the system's clients see it."""
    return started_project.system()
