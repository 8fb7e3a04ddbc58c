"""JWK sets (RFC 7517) in files: the keys that tokens are signed and verified with.

    {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "qF3…", "nbf": 1790000000,
               "n": "…", "e": "AQAB"}, …]}

The newest key comes first. A key signs from the time in `nbf` on, so verifiers can load it
before the first token uses it. `kid` is the key's thumbprint (RFC 7638). The Users Backend
creates the files; its private set has the same keys with their private parts.
"""

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import structlog
from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
# RFC 7518, section 3.3. New ones are longer.
MIN_KEY_BITS = 2048

Jwk = dict[str, Any]

_log = structlog.get_logger()


class KeySetError(Exception):
    """A key file is missing, cannot be read, or is not a set of RSA keys."""


def read_key_set(path: Path) -> list[Jwk]:
    """Return the keys in the file, newest first; raises `KeySetError`."""
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=dict[str, list[Jwk]])["keys"]
        for key in keys:
            if imported(key).raw_value.key_size < MIN_KEY_BITS:
                raise ValueError(f"a key has less than {MIN_KEY_BITS} bits")
            key["kid"], key["nbf"]
    except OSError as error:
        raise KeySetError(f"cannot read the key file {path}: {error.strerror}") from error
    except Exception as error:
        raise KeySetError(f"{path} is not a JWK set of RSA keys: {error}") from error
    if not keys:
        raise KeySetError(f"{path} contains no key")
    return keys


def imported(key: Jwk) -> RSAKey:
    """Return the key for use; raises what the library raises for a bad one.

    Each is imported once: checking the numbers of a private one takes 140 ms.
    """
    return _imported(frozenset(key.items()))


@lru_cache(maxsize=16)
def _imported(key: frozenset[tuple[str, Any]]) -> RSAKey:
    return RSAKey.import_key(dict(key))


class WatchedKeySet:
    """The keys in a file, read again when it changes; safe to share between threads.

    The constructor raises `KeySetError` if the file is missing or damaged. If the file becomes
    unreadable later, the keys read last stay in use until it is valid again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # One thread reads a changed file; the others wait for its keys.
        self._lock = threading.Lock()
        self._version = _version_of(path)
        self._keys = read_key_set(path)

    def keys(self) -> list[Jwk]:
        """Return the keys, newest first: the same list until the file changes."""
        with self._lock:
            version = _version_of(self._path)
            if version not in (None, self._version):
                self._version = version
                try:
                    self._keys = read_key_set(self._path)
                except KeySetError:
                    _log.exception("keys not read", path=str(self._path))
            return self._keys


def _version_of(path: Path) -> tuple[int, int, int] | None:
    """Return a value that differs after a change, even of a link in the path; None if missing."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
