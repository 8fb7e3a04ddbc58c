"""Rotation of the verification keys while requests run."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.http_client import HttpClient
from testkit.service_process import ServiceProcess
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until

PATH = "/api/me/thoughts/"


@pytest.fixture
def own_maker(tmp_path: Path) -> TokenMaker:
    """Keys for this module."""
    return TokenMaker(tmp_path)


@pytest.fixture(scope="module")
def keys_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path from which this module's backend reads its public keys."""
    return tmp_path_factory.mktemp("watched") / "public.json"


@pytest.fixture(scope="module")
def backend(
    backend_settings: dict[str, str],
    token_maker: TokenMaker,
    keys_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServiceProcess]:
    """A backend whose keys change while it runs."""
    keys_path.write_bytes(token_maker.public_path.read_bytes())
    settings = backend_settings | {"TOKEN_PUBLIC_KEYS_PATH": str(keys_path)}
    backend = ServiceProcess("thoughts_backend", settings, folder=tmp_path_factory.mktemp("keys"))
    backend.start()
    yield backend
    backend.stop()


@pytest.fixture
def http(backend: ServiceProcess, keys_path: Path, own_maker: TokenMaker) -> HttpClient:
    """A client of that backend, which knows the module's own keys."""
    publish(own_maker, keys_path)
    wait_until(lambda: is_in(backend.http, own_maker.token("bruce")))
    return backend.http


def publish(maker: TokenMaker, path: Path) -> None:
    """Install the maker's public keys for the backend, atomically."""
    new = path.with_suffix(".new")
    new.write_bytes(maker.public_path.read_bytes())
    new.replace(path)


def is_in(http: HttpClient, token: str) -> bool:
    """Whether the backend accepts a token."""
    return http.get(PATH, token=token).status == 200


def test_token_of_a_new_key_works_at_once(
    http: HttpClient, own_maker: TokenMaker, keys_path: Path
) -> None:
    """The first request with a just published key is accepted."""
    own_maker.rotate()
    publish(own_maker, keys_path)

    assert is_in(http, own_maker.token("bruce"))


def test_token_of_the_old_key_works_on(
    http: HttpClient, own_maker: TokenMaker, keys_path: Path
) -> None:
    """After a rotation, tokens of the previous key are accepted until they expire."""
    old_token = own_maker.token("bruce")
    own_maker.rotate()
    publish(own_maker, keys_path)
    assert is_in(http, own_maker.token("bruce"))

    assert is_in(http, old_token)


def test_removed_key_stops_working(
    http: HttpClient, own_maker: TokenMaker, keys_path: Path
) -> None:
    """Tokens of a key that is no longer published are rejected, even if accepted before."""
    old_token = own_maker.token("bruce")
    assert is_in(http, old_token)
    own_maker.rotate(keep_old=False)
    publish(own_maker, keys_path)

    wait_until(lambda: not is_in(http, old_token))

    assert is_in(http, own_maker.token("bruce"))


def test_no_request_fails_during_a_rotation(
    http: HttpClient, own_maker: TokenMaker, keys_path: Path
) -> None:
    """During rotations every request with a valid token succeeds."""
    statuses: set[int] = set()
    tokens = [own_maker.token("bruce")]
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            statuses.update(http.get(PATH, token=token).status for token in tokens)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for _ in range(3):
        own_maker.rotate()
        publish(own_maker, keys_path)
        tokens.append(own_maker.token("bruce"))
    over.set()
    for asker in askers:
        asker.join()

    assert statuses == {200}


@pytest.mark.parametrize("damaged", [b"", b"{", b'{"keys": []}', b"null", b"\xff"])
def test_damaged_file_is_survived(
    backend: ServiceProcess,
    http: HttpClient,
    own_maker: TokenMaker,
    keys_path: Path,
    damaged: bytes,
) -> None:
    """While the file is damaged, the keys read last stay in use, and the log says so."""
    seen = len(backend.lines("keys not read"))
    keys_path.write_bytes(damaged)

    good_token = own_maker.token("bruce")
    wait_until(lambda: is_in(http, good_token) and len(backend.lines("keys not read")) > seen)

    assert is_in(http, own_maker.token("bruce"))


def test_missing_file_is_survived(http: HttpClient, own_maker: TokenMaker, keys_path: Path) -> None:
    """A temporarily missing file changes nothing."""
    keys_path.unlink()

    assert is_in(http, own_maker.token("stephen"))
