"""The secret files of an overlay."""

import json
import shutil
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
import yaml

from deploy.secret_files import make_secret_files, rotate_keys
from tooling.failures import Failure

LOCAL_FILES = [
    "admin-password",
    "private-keys.json",
    "public-keys.json",
    "secrets.yaml",
    "thoughts-database-owner-url",
    "thoughts-database-password",
    "thoughts-database-service-password",
    "thoughts-database-superuser-password",
    "thoughts-database-url",
    "users-database-owner-url",
    "users-database-password",
    "users-database-service-password",
    "users-database-superuser-password",
    "users-database-url",
]


@pytest.fixture
def folder(made_secrets: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return shutil.copytree(made_secrets, tmp_path / "secrets")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the name and content of each file in the folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_of_the_local_overlay_is_made(tmp_path: Path) -> None:
    """The first call creates all files, says so, and leaves nothing else behind."""
    made = make_secret_files(tmp_path, with_databases=True)

    assert made == LOCAL_FILES
    assert sorted(contents(tmp_path)) == LOCAL_FILES


def test_only_the_owner_can_read_them(folder: Path) -> None:
    """The folder is closed to others, and so is each file except the public keys."""
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {name for name, mode in modes.items() if mode != 0o600} == {"public-keys.json"}


def test_addresses_carry_the_passwords(folder: Path) -> None:
    """The address of each database contains the password that its role will get."""
    for name in ("thoughts", "users"):
        owner, service = (
            (folder / f"{name}-database{role}password").read_text().strip()
            for role in ("-", "-service-")
        )
        place = f"{name}-database:5432/{name}\n"
        url = (folder / f"{name}-database-url").read_text()
        owner_url = (folder / f"{name}-database-owner-url").read_text()
        assert url == f"postgresql://{name}_service:{service}@{place}"
        assert owner_url == f"postgresql://{name}:{owner}@{place}"


def test_the_two_key_files_belong_together(tmp_path: Path) -> None:
    """The public file has the keys of the private one, without their private parts."""
    make_secret_files(tmp_path, with_databases=False)

    private = json.loads((tmp_path / "private-keys.json").read_text())["keys"]
    public = json.loads((tmp_path / "public-keys.json").read_text())["keys"]
    assert [key["kid"] for key in public] == [key["kid"] for key in private]
    assert "d" in private[0]
    assert "d" not in public[0]


def test_two_folders_share_no_secret(tmp_path: Path) -> None:
    """Each folder gets its own passwords and keys."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        make_secret_files(folder, with_databases=True)

    assert not set(contents(one).values()) & set(contents(other).values())


def test_second_call_changes_nothing(folder: Path) -> None:
    """Existing files are kept, byte for byte."""
    before = contents(folder)

    made = make_secret_files(folder, with_databases=True)

    assert made == []
    assert contents(folder) == before


def test_file_that_stands_alone_is_made_again(folder: Path) -> None:
    """A missing file that nothing else depends on is created, and no other."""
    (folder / "admin-password").unlink()

    assert make_secret_files(folder, with_databases=True) == ["admin-password"]


@pytest.mark.parametrize(
    ("lost", "other"),
    [
        ("private-keys.json", "public-keys.json"),
        ("users-database-password", "users-database-owner-url"),
        ("users-database-owner-url", "users-database-password"),
        ("thoughts-database-url", "thoughts-database-service-password"),
    ],
)
def test_half_of_a_pair_is_refused(folder: Path, lost: str, other: str) -> None:
    """If one file of a pair is lost, the other is not overwritten; the error says what to do."""
    (folder / lost).unlink()
    before = contents(folder)

    with pytest.raises(Failure, match=f"Put {lost} back, or delete {other}"):
        make_secret_files(folder, with_databases=True)

    assert contents(folder) == before


def test_production_gets_keys_alone(tmp_path: Path) -> None:
    """For external databases no addresses are invented."""
    assert make_secret_files(tmp_path, with_databases=False) == [
        "private-keys.json",
        "public-keys.json",
    ]


def test_address_without_password_is_right_in_production(tmp_path: Path) -> None:
    """For external databases the operator writes the address, and no password file is needed."""
    (tmp_path / "thoughts-database-url").write_text("postgresql://t:p@db.example.com/t\n")

    assert "private-keys.json" in make_secret_files(tmp_path, with_databases=False)


def test_secrets_have_the_contents_of_the_files(folder: Path) -> None:
    """Each value is that of a file, in one line: kubectl reports it as unchanged when it is."""
    objects = list(yaml.safe_load_all((folder / "secrets.yaml").read_text()))

    values = [value for secret in objects for value in secret["data"].values()]
    others = {"public-keys.json", "secrets.yaml"}
    files = {text for name, text in contents(folder).items() if name not in others}
    assert {b64decode(value) for value in values} == files
    assert all(value == b64encode(b64decode(value)).decode() for value in values)


def test_rotated_keys_reach_the_secrets(folder: Path) -> None:
    """The Secret with the private keys is that of the newest file."""
    rotate_keys(folder)

    objects = yaml.safe_load_all((folder / "secrets.yaml").read_text())
    (keys,) = [o for o in objects if o["metadata"]["name"] == "token-private-keys"]
    file = folder / "private-keys.json"
    assert b64decode(keys["data"]["private-keys.json"]) == file.read_bytes()
    assert keys["metadata"]["labels"] == {"app.kubernetes.io/component": "token-keys"}
    assert len(json.loads(file.read_text())["keys"]) == 2
