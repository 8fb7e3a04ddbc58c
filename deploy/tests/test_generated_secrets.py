"""The component `generated-secrets`: its program, against a stand-in for the API server."""

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from testkit.certificates import Authority, plain_server_context
from testkit.manifest_objects import named, of_kind
from testkit.manifests import Manifest, Manifests
from tooling.project import ROOT

COMPONENT = ROOT / "deploy" / "kubernetes" / "components" / "generated-secrets"
TOKEN = "the token of the account"


class ApiServer(ThreadingHTTPServer):
    """Keeps objects by their path, as Kubernetes does; `refused` paths get a 403."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.objects: dict[str, Any] = {}
        self.refused: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    """Answers GET, POST and PUT of objects in the namespace `example`."""

    server: ApiServer

    def do_GET(self) -> None:
        """Return an object."""
        self._answer(200 if self._path in self.server.objects else 404)

    def do_POST(self) -> None:
        """Create an object, or refuse because there is one."""
        described = self._body()
        path = f"{self._path}/{described['metadata']['name']}"
        if path in self.server.refused:
            self._answer(403)
        elif path in self.server.objects:
            self._answer(409)
        else:
            self.server.objects[path] = described
            self._answer(201)

    def do_PUT(self) -> None:
        """Replace an object."""
        self.server.objects[self._path] = self._body()
        self._answer(200)

    @property
    def _path(self) -> str:
        return self.path.removeprefix("/api/v1/namespaces/example/")

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status = 401
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """The files of a pod's service account."""
    (tmp_path / "namespace").write_text("example")
    (tmp_path / "token").write_text(TOKEN)
    return tmp_path


@pytest.fixture
def api(account: Path) -> Iterator[ApiServer]:
    """An API server without objects, whose authority the account trusts."""
    with running(Authority(account / "ca.crt").server_context("127.0.0.1")) as server:
        yield server


@contextmanager
def running(tls: ssl.SSLContext) -> Iterator[ApiServer]:
    """An API server with this certificate, while the block runs."""
    server = ApiServer(tls)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def generate(api: ApiServer, account: Path) -> "subprocess.CompletedProcess[str]":
    """Run the program, as the Job does."""
    address = f"127.0.0.1:{api.server_port}"
    return subprocess.run(
        [sys.executable, COMPONENT / "generate.py"],
        env={"PATH": os.defpath, "KUBERNETES_API": address, "SERVICE_ACCOUNT": str(account)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def contents(api: ApiServer) -> dict[str, dict[str, str]]:
    """The contents of each object, by key."""
    return {
        path: described["stringData" if path.startswith("secrets/") else "data"]
        for path, described in api.objects.items()
    }


def test_objects_are_those_of_the_overlay_local(
    api: ApiServer, account: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It creates the objects that `overlays/local` has, with the same keys."""
    local = Manifests(tmp_path_factory.mktemp("manifests")).render("local")
    expected = {
        f"secrets/{o['metadata']['name']}": set(keys_of(o)) for o in of_kind(local, "Secret")
    }
    keys = named(local, "ConfigMap", "token-public-keys")
    expected["configmaps/token-public-keys"] = set(keys["data"])

    done = generate(api, account)

    assert done.returncode == 0, done.stderr
    assert {path: set(data) for path, data in contents(api).items()} == expected


def keys_of(secret: Manifest) -> list[str]:
    """The keys of a Secret."""
    return [*secret.get("data", {}), *secret.get("stringData", {})]


def test_what_belongs_together_fits(api: ApiServer, account: Path) -> None:
    """The addresses have the servers' passwords, and the public keys those of the private ones."""
    generate(api, account)

    made = contents(api)
    for name in ("thoughts", "users"):
        server = made[f"secrets/{name}-database-server"]
        address = f"@{name}-database:5432/{name}"
        assert made[f"secrets/{name}-database"]["url"] == (
            f"postgresql://{name}_service:{server['service-password']}{address}"
        )
        assert made[f"secrets/{name}-database-owner"]["url"] == (
            f"postgresql://{name}:{server['password']}{address}"
        )
    private = json.loads(made["secrets/token-private-keys"]["private-keys.json"])["keys"]
    public = json.loads(made["configmaps/token-public-keys"]["public-keys.json"])["keys"]
    assert [key["n"] for key in private] == [key["n"] for key in public]


def test_existing_objects_stay(api: ApiServer, account: Path) -> None:
    """Applying a later release changes no password and no key."""
    generate(api, account)
    before = contents(api)

    done = generate(api, account)

    assert done.returncode == 0, done.stderr
    assert contents(api) == before


@pytest.mark.parametrize(
    "last",
    ["secrets/token-private-keys", "secrets/users-database-server", "secrets/admin-password"],
)
def test_interrupted_run_is_completed(api: ApiServer, account: Path, last: str) -> None:
    """If it ends within a group, the next run writes the whole group again, and it fits."""
    api.refused = {last}
    done = generate(api, account)
    assert done.returncode == 1
    assert f"POST {last.partition('/')[0]}: 403" in done.stderr
    api.refused = set()

    generate(api, account)

    test_what_belongs_together_fits(api, account)
    assert last in api.objects


def test_server_of_another_authority_is_not_trusted(api: ApiServer, account: Path) -> None:
    """Neither the token nor a password goes to a server that the cluster did not certify."""
    Authority(account / "ca.crt")

    done = generate(api, account)

    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert api.objects == {}


def test_authority_without_key_usage_is_trusted(account: Path) -> None:
    """Those of many clusters have none, which Python refuses by default since 3.13."""
    with running(plain_server_context(account / "ca.crt", "127.0.0.1")) as api:
        done = generate(api, account)

    assert done.returncode == 0, done.stderr
    assert api.objects


def test_role_names_what_is_generated(api: ApiServer, account: Path) -> None:
    """The Job may look at and replace these objects and no others."""
    generate(api, account)
    documents = yaml.safe_load_all((COMPONENT / "permissions.yaml").read_text())
    (role,) = [document for document in documents if document["kind"] == "Role"]

    named = {
        f"{resource}/{name}"
        for rule in role["rules"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [])
    }

    assert named == set(api.objects)
