"""A failing start: what is missing is reported in one line, and nothing is served."""

from pathlib import Path

import pytest

from services.users_backend.tests.conftest import MakeBackend
from testkit.service_process import ServiceProcess

KEY_FILES = pytest.mark.parametrize(
    "name", ["TOKEN_PRIVATE_KEYS_PATH", "TOKEN_PUBLIC_KEYS_PATH"], ids=["private", "public"]
)


@KEY_FILES
def test_missing_key_file_is_reported(make_backend: MakeBackend, tmp_path: Path, name: str) -> None:
    """Without a key file the service does not start and names the missing file."""
    path = tmp_path / "missing.json"
    backend = make_backend(**{name: str(path)})

    status = backend.run_to_end()

    assert status == 2
    assert backend.output == [
        f"users-backend: cannot read the key file {path}: No such file or directory"
    ]


@KEY_FILES
@pytest.mark.parametrize("content", ["", "{", '{"keys": []}'], ids=["empty", "malformed", "none"])
def test_damaged_key_file_is_reported(
    make_backend: MakeBackend, tmp_path: Path, name: str, content: str
) -> None:
    """A key file without keys is named, too."""
    path = tmp_path / "damaged.json"
    path.write_text(content)
    backend = make_backend(**{name: str(path)})

    status = backend.run_to_end()

    assert status == 2
    assert [line.startswith(f"users-backend: {path} ") for line in backend.output] == [True]


def test_missing_address_file_is_reported(backend_settings: dict[str, str], tmp_path: Path) -> None:
    """Without the file for the database's address the service does not start."""
    path = tmp_path / "url"
    settings = {name: text for name, text in backend_settings.items() if name != "DATABASE_URL"}
    settings["DATABASE_URL_FILE"] = str(path)
    backend = ServiceProcess("users_backend", settings, folder=tmp_path)

    status = backend.run_to_end()

    assert status == 2
    assert backend.output == [
        f"users-backend: DATABASE_URL: cannot read {path}: No such file or directory"
    ]
