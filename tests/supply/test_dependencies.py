"""docs/dependencies.md names every direct dependency, with a reason, and no other."""

import json
import re
import tomllib
from collections.abc import Callable

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from testkit.markdown import section, table_rows
from tooling.project import ROOT

DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text()


def of_services() -> set[str]:
    """What the descriptions of the chassis and of the services require."""
    names: set[str] = set()
    for path in [ROOT / "chassis/pyproject.toml", *ROOT.glob("services/*/pyproject.toml")]:
        project = tomllib.loads(path.read_text())["project"]
        extras = project.get("optional-dependencies", {}).values()
        names |= {_name(text) for text in project["dependencies"]}
        names |= {_name(text) for extra in extras for text in extra}
    return names - {"mythoughts-chassis"}


def of_files(*names: str) -> set[str]:
    """What files in `requirements` require."""
    lines = [
        line
        for name in names
        for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    ]
    return {_name(line) for line in lines if line and not line.startswith(("#", "-r"))}


def of_npm() -> set[str]:
    """What the generated clients' tests require of npm."""
    package = json.loads((ROOT / "tests/clients/package.json").read_text())
    return set(package["devDependencies"])


def images() -> set[str]:
    """The images of others that Dockerfiles, manifests and Compose files name."""
    patterns = ("services/*/Dockerfile", "deploy/**/*.yaml", "services/**/*.yaml")
    texts = [path.read_text() for pattern in patterns for path in ROOT.glob(pattern)]
    named = re.compile(r"^\s*(?:FROM|image:|imageName:) (\S+:\S+)", re.MULTILINE)
    found = {image for text in texts for image in named.findall(text)}
    return {image for image in found if not image.startswith("mythoughts/")}


def actions() -> set[str]:
    """The actions that workflows use."""
    workflows = (ROOT / ".github" / "workflows").glob("*.yml")
    return {name for path in workflows for name in re.findall(r"uses: (\S+)@", path.read_text())}


@pytest.mark.parametrize(
    ("heading", "find"),
    [
        ("## Run", of_services),
        ("## `make up`", lambda: of_files("run", "build", "installer")),
        ("## Development", lambda: of_files("development")),
        ("## Other environments", lambda: of_files("auditor", "clients", "scanner")),
        ("## npm packages", of_npm),
        ("## Images", images),
        ("## Actions", actions),
    ],
)
def test_dependencies_stand_in_the_document(heading: str, find: Callable[[], set[str]]) -> None:
    """The table of each kind has exactly what the files require, each with a reason."""
    rows = table_rows(section(DOCUMENT, heading))[1:]

    assert {name.strip("`") for name, _ in rows} == find()
    assert [name for name, reason in rows if not reason.strip()] == []


def test_every_requirements_file_has_a_table() -> None:
    """No file in `requirements` is left out above."""
    files = {path.stem for path in (ROOT / "requirements").glob("*.in")}

    assert files == {
        *("run", "build", "installer", "development", "auditor", "clients", "scanner"),
    }


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
