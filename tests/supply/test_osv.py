"""Which entries of a file with OSV's data affect a version."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.supply.osv import Vulnerabilities


def affected(name: str = "some-package", ecosystem: str = "PyPI", **how: Any) -> dict[str, Any]:
    """What an entry says of one package."""
    return {"package": {"name": name, "ecosystem": ecosystem}, **how}


def ranged(*events: dict[str, str]) -> dict[str, Any]:
    """An entry's part with one range of versions."""
    return affected(ranges=[{"type": "ECOSYSTEM", "events": list(events)}])


def found(folder: Path, part: dict[str, Any], package: str, version: str) -> list[str]:
    """The ids that are found in a file with one entry."""
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ONE.json", json.dumps({"id": "ONE", "affected": [part]}))
    return [entry["id"] for entry in Vulnerabilities(path).find(package, version)]


@pytest.mark.parametrize(
    ("version", "is_found"),
    [("1.0", True), ("1.0.0", True), ("1.1", False)],
)
def test_listed_version_is_found(tmp_path: Path, version: str, is_found: bool) -> None:
    """A version that an entry lists is affected, however it is written."""
    part = affected(versions=["0.9", "1.0", "not a version"])

    assert bool(found(tmp_path, part, "some-package", version)) is is_found


def test_name_may_be_written_otherwise(tmp_path: Path) -> None:
    """Names of packages are compared as PyPI compares them."""
    part = affected("Some_Package", versions=["1"])

    assert found(tmp_path, part, "some.package", "1") == ["ONE"]


def test_other_ecosystems_do_not_count(tmp_path: Path) -> None:
    """A package of npm with the same name is another one."""
    assert not found(tmp_path, affected(ecosystem="npm", versions=["1"]), "some-package", "1")


@pytest.mark.parametrize(
    ("version", "is_found"),
    [("0.9", False), ("1.0", True), ("1.9.9", True), ("2.0", False), ("3.0", True)],
)
def test_range_is_found(tmp_path: Path, version: str, is_found: bool) -> None:
    """Without a list, the versions from each introduction to its fix are affected."""
    part = ranged({"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "3.0"})

    assert bool(found(tmp_path, part, "some-package", version)) is is_found


@pytest.mark.parametrize(("version", "is_found"), [("2.0", True), ("2.0.1", False)])
def test_last_affected_version_is_found(tmp_path: Path, version: str, is_found: bool) -> None:
    """A range may also name its last version."""
    part = ranged({"introduced": "0"}, {"last_affected": "2.0"})

    assert bool(found(tmp_path, part, "some-package", version)) is is_found
