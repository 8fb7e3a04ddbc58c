"""Clients generated from the committed OpenAPI documents work: they take the README's tour."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from testkit.system import System
from tests.clients import tools
from tooling.project import ROOT

pytestmark = pytest.mark.node

BACKENDS = ("thoughts_backend", "users_backend")
TSC = ("--strict", "--target", "es2022", "--module", "nodenext", "--outDir", "out")

Json = dict[str, Any]


def document(backend: str) -> Path:
    """The committed document of a backend."""
    return ROOT / "services" / backend / "openapi.json"


def output_of(*command: str | Path, cwd: Path) -> str:
    """What a command prints; the test fails when it does."""
    done = tools.run(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python_tour(folder: Path, arguments: list[str]) -> str:
    """Take the tour with clients made by openapi-python-client."""
    for backend in BACKENDS:
        output_of(
            *("openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"),
            *("--path", document(backend), "--output-path", folder / f"{backend}_client"),
            cwd=folder,
        )
    shutil.copy(tools.FOLDER / "tour.py", folder)
    return output_of("python", "tour.py", *arguments, cwd=folder)


def typescript_tour(folder: Path, arguments: list[str]) -> str:
    """Take the tour with clients made by openapi-typescript, type-checked strictly."""
    (folder / "node_modules").symlink_to(tools.MODULES)
    for name in ("package.json", "tour.ts"):
        shutil.copy(tools.FOLDER / name, folder)
    for backend in BACKENDS:
        output_of("openapi-typescript", document(backend), "-o", f"{backend}.d.ts", cwd=folder)
    output_of("tsc", *TSC, "tour.ts", cwd=folder)
    return output_of("node", "out/tour.js", *arguments, cwd=folder)


@pytest.fixture(scope="module", params=[python_tour, typescript_tour], ids=["Python", "TypeScript"])
def tour(
    request: pytest.FixtureRequest, system: System, tmp_path_factory: pytest.TempPathFactory
) -> Json:
    """What each step of the tour answered."""
    user = system.new_user()
    take: Callable[[Path, list[str]], str] = request.param
    arguments = [system.thoughts_url, system.users_url, user.username, user.password]
    steps: Json = json.loads(take(tmp_path_factory.mktemp("tour"), arguments))
    return steps | {"username": user.username}


def test_client_shares(tour: Json) -> None:
    """A client that was given the whole answer of the login shares, as the user who logged in."""
    assert [thought["username"] for thought in tour["shared"]] == [tour["username"]] * 3
    assert tour["shared"][1]["text"] == f"Hello 1: 你好, {tour['username']}."


def test_client_reads_times(tour: Json) -> None:
    """A client knows when a thought was shared."""
    assert tour["year"] == datetime.now(UTC).year


def test_client_lists(tour: Json) -> None:
    """A client lists one's own thoughts, newest first."""
    assert tour["own"] == tour["shared"][::-1]


def test_client_searches(tour: Json) -> None:
    """A client finds a thought, in any case and script."""
    assert tour["found"] == [tour["shared"][1]]


def test_client_pages_on(tour: Json) -> None:
    """A client continues to the next page, as the Link header says."""
    assert tour["pages"] == [tour["shared"][:0:-1], tour["shared"][:1]]


def test_client_deletes(tour: Json) -> None:
    """A client deletes a thought, and then it is gone: a problem that the client has read."""
    assert tour["deletion"] == 204
    assert (tour["gone"]["status"], tour["gone"]["title"]) == (404, "Not Found")


def test_client_reads_what_is_wrong(tour: Json) -> None:
    """A client knows, for each field at fault, what is wrong with it."""
    assert tour["refused"]["errors"] == [{"field": "text", "detail": "must not be empty"}]
