"""The rendered manifests."""

from pathlib import Path

import pytest

from testkit.manifests import VARIANTS, Manifest, Manifests


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    """Renders each variant once."""
    return Manifests(Path(tmp_path_factory.mktemp("manifests")))


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    """Each overlay, and each component added to one."""
    return str(request.param)


@pytest.fixture
def rendered(manifests: Manifests, variant: str) -> tuple[Manifest, ...]:
    """The objects of `variant`."""
    return manifests.render(variant)


@pytest.fixture
def local(manifests: Manifests) -> tuple[Manifest, ...]:
    """The objects of overlays/local."""
    return manifests.render("local")


@pytest.fixture
def production(manifests: Manifests) -> tuple[Manifest, ...]:
    """The objects of overlays/production."""
    return manifests.render("production")
