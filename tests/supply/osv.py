"""Answers like api.osv.dev, from OSV's data for PyPI in a file: for audits without a network.

The file is https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip, or any zip file with
entries in OSV's format (https://ossf.github.io/osv-schema/), each as JSON in a file of its own.
"""

import json
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Entry = dict[str, Any]


class Vulnerabilities:
    """The entries of a file, by package."""

    def __init__(self, path: Path) -> None:
        self._entries: Mapping[str, list[Entry]] = defaultdict(list)
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    self._add(json.loads(archive.read(name)))

    def find(self, package: str, version: str) -> list[Entry]:
        """The entries that affect this version of a package."""
        name = canonicalize_name(package)
        return [
            entry
            for entry in self._entries.get(name, [])
            if any(_is_affected(part, version) for part in _parts(entry, name))
        ]

    def _add(self, entry: Entry) -> None:
        names = {canonicalize_name(part["package"]["name"]) for part in _of_pypi(entry)}
        for name in names:
            self._entries[name].append(entry)


@contextmanager
def osv_server(path: Path) -> Iterator[str]:
    """Serve the entries of a file on this machine; gives the address for queries."""
    vulnerabilities = Vulnerabilities(path)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = vulnerabilities.find(asked["package"]["name"], asked["version"])
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()


def _of_pypi(entry: Entry) -> list[Entry]:
    parts: list[Entry] = entry.get("affected", [])
    return [part for part in parts if part.get("package", {}).get("ecosystem") == "PyPI"]


def _parts(entry: Entry, name: str) -> list[Entry]:
    return [part for part in _of_pypi(entry) if canonicalize_name(part["package"]["name"]) == name]


def _is_affected(part: Entry, version: str) -> bool:
    wanted = Version(version)
    if any(_version(listed) == wanted for listed in part.get("versions", [])):
        return True
    return any(
        _is_in_range(range_["events"], wanted)
        for range_ in part.get("ranges", [])
        if range_["type"] == "ECOSYSTEM"
    )


def _is_in_range(events: list[dict[str, str]], wanted: Version) -> bool:
    """Whether the last event up to this version made it a vulnerable one."""
    is_inside = False
    for event in events:
        ((kind, text),) = event.items()
        at = Version("0") if text == "0" else _version(text)
        if at is None:
            continue
        if kind == "introduced" and at <= wanted:
            is_inside = True
        elif (kind == "fixed" and at <= wanted) or (kind == "last_affected" and at < wanted):
            is_inside = False
    return is_inside


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
