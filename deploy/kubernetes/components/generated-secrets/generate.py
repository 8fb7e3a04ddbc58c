"""Creates the Secrets of this namespace that are missing, and the ConfigMap of the public keys.

It runs in a Job with the image of the Users Backend, and can be repeated. Objects that belong
together count as created once the first Secret of their group exists. That one is written last, so
that the next run completes what an interrupted one began.
"""

import json
import os
import secrets
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from http.client import HTTPSConnection
from pathlib import Path

API = os.environ.get("KUBERNETES_API", "kubernetes.default.svc")
ACCOUNT = Path(os.environ.get("SERVICE_ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
OK, CREATED, NOT_FOUND, CONFLICT = 200, 201, 404, 409

# The contents of each object, by key, by its resource and name.
Group = dict[str, dict[str, str]]


def main() -> None:
    """Create what is missing."""
    groups: dict[str, Callable[[], Group]] = {
        "secrets/token-private-keys": token_keys,
        "secrets/thoughts-database-server": lambda: database_secrets("thoughts"),
        "secrets/users-database-server": lambda: database_secrets("users"),
        "secrets/admin-password": lambda: {"secrets/admin-password": {"password": password()}},
    }
    for first, make in groups.items():
        if call("GET", first) == NOT_FOUND:
            for path, contents in reversed(make().items()):
                write(path, contents)


def token_keys() -> Group:
    """Return a new pair of key sets."""
    with tempfile.TemporaryDirectory() as folder:
        private, public = Path(folder, "private-keys.json"), Path(folder, "public-keys.json")
        paths = {"TOKEN_PRIVATE_KEYS_PATH": str(private), "TOKEN_PUBLIC_KEYS_PATH": str(public)}
        subprocess.run(
            [sys.executable, "-m", "users_backend", "rotate-keys"],
            env={**os.environ, **paths},
            check=True,
        )
        return {
            "secrets/token-private-keys": {private.name: private.read_text()},
            "configmaps/token-public-keys": {public.name: public.read_text()},
        }


def database_secrets(name: str) -> Group:
    """Return the passwords of a database server, and the addresses that contain them."""
    owner, service, superuser = password(), password(), password()
    place = f"{name}-database:5432/{name}"
    return {
        f"secrets/{name}-database-server": {
            "password": owner,
            "service-password": service,
            "superuser-password": superuser,
        },
        f"secrets/{name}-database": {"url": f"postgresql://{name}_service:{service}@{place}"},
        f"secrets/{name}-database-owner": {"url": f"postgresql://{name}:{owner}@{place}"},
    }


def password() -> str:
    """Return a random password that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


def write(path: str, contents: dict[str, str]) -> None:
    """Create an object, or replace one that an interrupted run has left."""
    resource, name = path.split("/")
    key = "stringData" if resource == "secrets" else "data"
    labels = {"app.kubernetes.io/part-of": "mythoughts"}
    if name.startswith("token-"):
        labels["app.kubernetes.io/component"] = "token-keys"
    described = {"metadata": {"name": name, "labels": labels}, key: contents}
    if call("POST", resource, described) == CONFLICT:
        call("PUT", path, described)
    print(f"created {path}", flush=True)


def call(method: str, path: str, described: object = None) -> int:
    """Call the API server about objects of this namespace; returns the status of its response.

    Ends the program if the status is not an expected one.
    """
    tls = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    # The authorities of many clusters lack extensions that Python 3.13 would demand otherwise.
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    namespace, token = ((ACCOUNT / name).read_text() for name in ("namespace", "token"))
    connection = HTTPSConnection(API, timeout=10, context=tls)
    connection.request(
        method,
        f"/api/v1/namespaces/{namespace}/{path}",
        json.dumps(described).encode() if described else None,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    connection.close()
    if response.status not in (OK, CREATED, NOT_FOUND, CONFLICT):
        sys.exit(f"{method} {path}: {response.status} {text}")
    return response.status


if __name__ == "__main__":
    main()
