"""The passwords and addresses that Compose's container `secrets` makes."""

import os
from pathlib import Path

import pytest

from deploy.compose import make_secrets

VOLUMES = [
    f"{name}-database{part}" for name in ("thoughts", "users") for part in ("", "-owner", "-server")
]


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folders in place of the volumes; their files stay the test's own."""
    for name in VOLUMES:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(make_secrets, "FOLDER", tmp_path)
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    """The files of the volumes, by volume and name."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.glob("*/*")}


def test_each_role_has_an_address_with_its_password(volumes: Path) -> None:
    """The owner's and the service's address have the passwords that the server sets."""
    make_secrets.make_database_secrets("thoughts")

    files = {name: text.rstrip() for name, text in contents(volumes).items()}
    owner, service = (
        files[f"thoughts-database-server/{role}password"] for role in ("", "service-")
    )
    place = "thoughts-database:5432/thoughts"
    assert files["thoughts-database-owner/url"] == f"postgresql://thoughts:{owner}@{place}"
    assert files["thoughts-database/url"] == f"postgresql://thoughts_service:{service}@{place}"
    assert owner != service


def test_second_run_changes_nothing(volumes: Path) -> None:
    """What exists is kept."""
    make_secrets.make_database_secrets("users")
    before = contents(volumes)

    make_secrets.make_database_secrets("users")

    assert contents(volumes) == before


def test_hidden_files_are_not_copied(volumes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The binary files that the Finder of macOS leaves in the source tree are ignored."""
    for name in ("admin-password", "token-private-keys", "token-public-keys"):
        (volumes / name).mkdir()
    for folder in ("files", "copies"):
        (volumes / folder / "demo").mkdir(parents=True)
    (volumes / "files/demo/users.json").write_text("[]\n")
    (volumes / "files/demo/.DS_Store").write_bytes(b"\x00\xff")
    monkeypatch.setattr(make_secrets, "FILES", volumes / "files")
    monkeypatch.setattr(make_secrets, "COPIES", volumes / "copies")
    monkeypatch.setattr(os, "chown", lambda *_: None)

    make_secrets.main()

    assert contents(volumes / "copies") == {"demo/users.json": "[]\n"}


def test_file_that_cannot_be_written_is_named(volumes: Path) -> None:
    """Without a volume, or if it is full, the program ends with one line, without a traceback."""
    folder = volumes / "users-database-server"
    folder.rmdir()

    with pytest.raises(SystemExit, match=f"^secrets: .*: '{folder}/.superuser-password'$"):
        make_secrets.main()
