"""Authorities and certificates, made when a test needs them."""

import ssl
from pathlib import Path

import trustme


class Authority:
    """A certificate authority; `path` is its certificate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(path)

    def server_context(self, name: str) -> ssl.SSLContext:
        """Return what a server needs that calls itself `name`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(name).configure_cert(context)
        return context
