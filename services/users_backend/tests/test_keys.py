"""Signing keys: what is published, and how keys are replaced while requests run."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from joserfc.jws import extract_compact

from services.users_backend.tests.conftest import MakeBackend
from testkit.command import run_command
from testkit.http_client import HttpClient
from testkit.mounted_folder import MountedFolder
from testkit.service_process import ServiceProcess
from testkit.token_maker import LIFETIME_SECONDS, TokenMaker
from testkit.users_sql import PASSWORD, Sql
from testkit.waiting import wait_until


@pytest.fixture
def own_backend(make_backend: MakeBackend, own_keys: TokenMaker, sql: Sql) -> ServiceProcess:
    """A running backend with its own keys, in which bruce is user 1."""
    sql.add_user("bruce")
    backend = make_backend(
        TOKEN_PRIVATE_KEYS_PATH=str(own_keys.private_path),
        TOKEN_PUBLIC_KEYS_PATH=str(own_keys.public_path),
        TOKEN_LIFETIME_SECONDS=str(LIFETIME_SECONDS),
    )
    backend.start()
    return backend


def log_in(http: HttpClient) -> str:
    """Log bruce in and return the token."""
    answer = http.post("/api/login", json={"username": "bruce", "password": PASSWORD})
    assert answer.status == 200
    token: str = answer.json()["Authorized"].removeprefix("Bearer ")
    return token


def published(http: HttpClient) -> list[str]:
    """The ids of the published keys."""
    return [key["kid"] for key in http.get("/.well-known/jwks.json").json()["keys"]]


def test_public_keys_are_published(http: HttpClient, token_maker: TokenMaker) -> None:
    """Anyone gets the public keys, but no private part of them."""
    answer = http.get("/.well-known/jwks.json")

    assert answer.status == 200
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "nbf", "n", "e"}
    assert key["kid"] == token_maker.private_key["kid"]


def test_public_keys_may_be_kept_for_a_few_minutes(http: HttpClient) -> None:
    """Caches may keep the keys for five minutes."""
    answer = http.get("/.well-known/jwks.json/")

    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_private_keys_are_not_published_by_mistake(
    make_backend: MakeBackend, token_maker: TokenMaker
) -> None:
    """Even if the public path names the private file, nothing private is returned."""
    backend = make_backend(TOKEN_PUBLIC_KEYS_PATH=str(token_maker.private_path))
    backend.start()

    (key,) = backend.http.get("/.well-known/jwks.json").json()["keys"]

    assert set(key) == {"kty", "use", "alg", "kid", "nbf", "n", "e"}


def test_new_key_signs_and_is_published_without_restart(
    own_backend: ServiceProcess, own_keys: TokenMaker
) -> None:
    """After a rotation the next login is signed with the new key; the old one stays published."""
    old = own_keys.private_key["kid"]

    own_keys.rotate()

    new = own_keys.private_key["kid"]
    assert own_backend.http.get("/api/me", token=log_in(own_backend.http)).status == 200
    assert published(own_backend.http) == [new, old]


def test_new_key_signs_out_of_a_mounted_folder(
    make_backend: MakeBackend, own_keys: TokenMaker, sql: Sql, tmp_path: Path
) -> None:
    """Keys mounted by Kubernetes are replaced through two links, and this is detected."""
    sql.add_user("bruce")
    mount = MountedFolder(tmp_path / "mount")
    mount.publish(own_keys.private_path, own_keys.public_path)
    backend = make_backend(
        TOKEN_PRIVATE_KEYS_PATH=str(tmp_path / "mount" / own_keys.private_path.name),
        TOKEN_PUBLIC_KEYS_PATH=str(tmp_path / "mount" / own_keys.public_path.name),
    )
    backend.start()
    first = log_in(backend.http)

    own_keys.rotate()
    mount.publish(own_keys.private_path, own_keys.public_path)
    second = log_in(backend.http)

    statuses = [backend.http.get("/api/me", token=token).status for token in (first, second)]
    assert statuses == [200, 200]
    assert extract_compact(second.encode()).headers()["kid"] == own_keys.private_key["kid"]


def test_no_request_fails_while_keys_rotate(
    own_backend: ServiceProcess, own_keys: TokenMaker
) -> None:
    """During rotations, logins succeed and old and new tokens are accepted."""
    http = own_backend.http
    first = log_in(http)
    over = Event()

    def use_the_old() -> Iterator[int]:
        while not over.is_set():
            yield http.get("/api/me", token=first).status

    def use_new_ones() -> Iterator[int]:
        while not over.is_set():
            yield http.get("/api/me", token=log_in(http)).status

    # One thread logs in: logins that wait for each other are refused on a busy machine.
    with ThreadPoolExecutor(3) as pool:
        uses = [pool.submit(list, use()) for use in (use_the_old, use_the_old, use_new_ones)]
        for _ in range(4):
            own_keys.rotate()
        over.set()
        statuses = list(itertools.chain.from_iterable(use.result() for use in uses))

    assert statuses
    assert set(statuses) == {200}


def test_dropped_key_stops_working(own_backend: ServiceProcess, own_keys: TokenMaker) -> None:
    """A token of a key that was removed from the public file is soon rejected."""
    token = log_in(own_backend.http)

    own_keys.rotate(keep_old=False)

    wait_until(lambda: own_backend.http.get("/api/me", token=token).status == 401)
    assert own_backend.http.get("/api/me", token=log_in(own_backend.http)).status == 200


@pytest.mark.parametrize("damage", ["", '{"keys": [{"kty": "oct"}]}'])
def test_damaged_key_files_are_survived(
    own_backend: ServiceProcess, own_keys: TokenMaker, damage: str
) -> None:
    """While the files are damaged the keys read last stay in use; repaired, they are read again."""
    private = own_keys.private_path.read_bytes()
    own_keys.private_path.write_text(damage)
    own_keys.public_path.write_text(damage)

    assert own_backend.http.get("/api/me", token=log_in(own_backend.http)).status == 200
    assert len(published(own_backend.http)) == 1
    own_backend.wait_for_line("keys not read", path=str(own_keys.private_path))
    own_keys.private_path.write_bytes(private)
    own_keys.rotate()
    log_in(own_backend.http)
    assert len(published(own_backend.http)) == 2


def test_announced_key_does_not_sign_yet(own_backend: ServiceProcess, own_keys: TokenMaker) -> None:
    """With --activate-in a key is published at once but signs only from its start time on."""
    present = own_keys.private_key["kid"]

    done = run_command(own_backend.process.environment, "rotate-keys", "--activate-in", "600")

    token = log_in(own_backend.http)
    assert published(own_backend.http) == [done.stdout.strip(), present]
    assert extract_compact(token.encode()).headers()["kid"] == present
