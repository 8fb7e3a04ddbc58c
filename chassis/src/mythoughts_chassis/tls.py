"""TLS to the other services: whose certificates are trusted."""

import ssl
from pathlib import Path


def client_context(ca_path: Path | None) -> ssl.SSLContext:
    """Return what verifies a service's certificate and name, with TLS 1.2 or newer.

    The certificate must come from an authority in the file `ca_path`, or, without a file, from one
    that the system trusts. Raises `OSError` (`ssl.SSLError` is one) if the file is unusable.
    """
    context = ssl.create_default_context(cafile=ca_path)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def context_for(url: str, ca_path: Path | None) -> ssl.SSLContext | None:
    """Return the context for calls to this address, None unless it begins with https."""
    return client_context(ca_path) if url.startswith("https:") else None


def check_ca_path(path: Path) -> None:
    """Raise `ValueError` unless the file contains certificates."""
    try:
        client_context(path)
    except OSError as error:
        raise ValueError(f"cannot read certificates from {path}: {error.strerror}") from None
