"""Every package that the services need may be used by everybody, for anything."""

import re
from importlib.metadata import PackageMetadata, metadata

import pytest
from packaging.requirements import Requirement

from tooling.project import SERVICES

# By what packages call them: an SPDX expression, or the words of older packages.
ALLOWED = {
    "Apache-2.0": {"Apache-2.0", "Apache 2.0", "Apache Software License"},
    "BSD": {"BSD", "BSD-2-Clause", "BSD-3-Clause", "3-Clause BSD License", "BSD License"},
    "MIT": {"MIT", "MIT-0", "MIT License"},
    # Only its own files must stay open.
    "MPL-2.0": {"MPL-2.0"},
    "PSF-2.0": {"PSF-2.0"},
    "ZPL-2.1": {"ZPL 2.1", "ZPL-2.1"},
}
NAMES = set().union(*ALLOWED.values())


def packages() -> list[str]:
    """The packages that the services need on this system, indirect ones included."""
    locks = [(service.folder / "requirements.txt").read_text() for service in SERVICES]
    lines = [line for lock in locks for line in re.findall(r"^[a-z\d][^\\\n]*", lock, re.MULTILINE)]
    needed = [Requirement(line) for line in lines]
    return sorted({item.name for item in needed if not item.marker or item.marker.evaluate()})


def licences(about: PackageMetadata) -> list[list[str]]:
    """The licences that a package states: of each inner list, one is enough."""
    fields = about.json
    stated = str(fields.get("license_expression") or fields.get("license") or "")
    if not stated or len(stated) > 100:
        classifiers = fields.get("classifier", [])
        words = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License")]
        return [[word] for word in words]
    return [re.split(r" OR ", part.strip("() ")) for part in stated.split(" AND ")]


@pytest.mark.parametrize("package", packages())
def test_licence_allows_any_use(package: str) -> None:
    """Each package states a licence, and all that it states are in the list."""
    stated = licences(metadata(package))

    assert stated
    assert [choices for choices in stated if not NAMES & set(choices)] == []
