"""The images, and a system of containers shared by the tests in this folder."""

from collections.abc import Iterator

import pytest

from testkit.compose_project import Project
from testkit.docker import IMAGES, Image
from testkit.system import System


@pytest.fixture(params=IMAGES, ids=lambda image: image.name)
def image(request: pytest.FixtureRequest) -> Image:
    """Each of the three images."""
    image: Image = request.param
    return image


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    """The whole system, started once; tests must leave it running."""
    with Project() as project:
        project.up()
        yield project


@pytest.fixture
def stoppable(project: Project) -> Iterator[Project]:
    """The same, for tests that stop parts of it: stopped parts are restarted after each test."""
    yield project
    project.restore()


@pytest.fixture(scope="session")
def project_system(project: Project) -> System:
    """The system as its clients see it."""
    return project.system()
