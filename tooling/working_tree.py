"""The services' code in the working tree: watches it, and says what a change requires."""

import hashlib
import io
import os
import tarfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from watchfiles import Change as Event
from watchfiles import DefaultFilter, watch
from watchfiles._rust_notify import WatchfilesRustInternalError

from tooling.failures import Failure
from tooling.project import ROOT, SERVICES, Service

_CHASSIS = ROOT / "chassis"
_CHECK_MILLISECONDS = 200
# A save causes several events (a temporary file, a new name, a new time), and a checkout many;
# those that follow one another within this time are one change.
_SETTLE_MILLISECONDS = 50
# A file that is older than this when its event arrives was moved here, with its old time.
_MAX_AGE_SECONDS = 2
# Leaves out what Python compiles, and temporary files of its compiler and of editors.
_is_watched = DefaultFilter()
_WATCHING_ADVICE = """
If other programs, such as editors, already watch as many files as the system allows, close some of
them or raise the limit. On Linux:
    sudo sysctl fs.inotify.max_user_instances=1024
If the limit that was reached is that of watches, raise `fs.inotify.max_user_watches`. If you can do
neither, set WATCHFILES_FORCE_POLLING=1: the files are then compared several times a second."""
_LISTS_OF_PACKAGES = ("Dockerfile", "requirements.txt", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Change:
    """Files that changed at the same time; `saved_at` is the time of the last one."""

    paths: frozenset[Path]
    saved_at: float

    @property
    def title(self) -> str:
        """The name of one of the files, if possible one that still exists."""
        # A new folder may cause the only event: files written into it at once may cause none.
        paths = [path for path in self.paths if not path.is_dir()] or list(self.paths)
        first, *others = sorted(paths, key=lambda path: (not path.exists(), path.name))
        return f"{first.name} and {len(others)} more" if others else first.name

    def is_of_code(self, service: Service) -> bool:
        """Whether the service runs a changed file."""
        folders = (_CHASSIS / "src", service.folder / "src")
        return any(path.is_relative_to(folder) for path in self.paths for folder in folders)

    def is_of_packages(self, service: Service) -> bool:
        """Whether the service may need other packages."""
        lists = {
            folder / name for folder in (_CHASSIS, service.folder) for name in _LISTS_OF_PACKAGES
        }
        return not lists.isdisjoint(self.paths)


def watch_code() -> Iterator[Change | None]:
    """Watch the code from now on; yields None at intervals while nothing changes.

    Raises Failure.
    """
    events = watch(
        _CHASSIS,
        *(service.folder for service in SERVICES),
        step=_SETTLE_MILLISECONDS,
        rust_timeout=_CHECK_MILLISECONDS,
        yield_on_timeout=True,
        # A folder above the project may have a name that is left out.
        watch_filter=lambda event, path: _is_watched(event, os.path.relpath(path, ROOT)),
    )
    # Watching starts with the first item.
    try:
        next(events)
    except (OSError, WatchfilesRustInternalError) as error:
        raise Failure(f"The code cannot be watched: {error}\n{_WATCHING_ADVICE}") from error
    return (change_of(Path(path) for _, path in batch) if batch else None for batch in events)


def change_of(paths: Iterable[Path]) -> Change:
    """Return the change of these files, of which there is at least one."""
    changed, now = frozenset(paths), time.time()
    saved_at = max(map(_time_of, changed))
    return Change(changed, saved_at if now - _MAX_AGE_SECONDS < saved_at < now else now)


def _time_of(path: Path) -> float:
    """Return when a file was written, or 0."""
    with suppress(OSError):
        if path.is_file():
            return path.stat().st_mtime
    return 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All code of a service at one time, as a compressed tar.

    The same code has the same `name`; if `migrations` is the same, so is the database's schema.
    """

    name: str
    migrations: str
    archive: bytes


def snapshot(service: Service, *, with_debugger: bool = False) -> Snapshot:
    """Return the code of the service: its own in `service`, that of the chassis in `chassis`.

    `with_debugger` adds the package debugpy in `debugger`, without what is compiled.
    """
    folders = {"chassis": _CHASSIS / "src", "service": service.folder / "src"}
    if with_debugger:
        folders["debugger/debugpy"] = _folder_of("debugpy")
    migrations = service.folder / "src" / service.package / "migrations"
    of_all, of_migrations, archive = hashlib.sha256(), hashlib.sha256(), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as tar:
        for top, folder in folders.items():
            for path, content in _files(folder):
                entry = tarfile.TarInfo(f"{top}/{path.relative_to(folder)}")
                entry.size = len(content)
                # The time depends on the content alone: Python recompiles a file if it differs.
                # Some file systems have no times after 2038.
                entry.mtime = zlib.crc32(content) % 2**31
                tar.addfile(entry, io.BytesIO(content))
                described = f"{entry.name}\0{entry.size}\0".encode() + content
                of_all.update(described)
                if migrations in path.parents:
                    of_migrations.update(described)
    return Snapshot(of_all.hexdigest()[:12], of_migrations.hexdigest(), archive.getvalue())


def _folder_of(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise Failure(f"The package {package} is not installed: make lint installs it.")
    return Path(found.origin).parent


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    # Unlike rglob, os.walk continues if a folder is deleted at the same time.
    for parent, _, names in sorted(os.walk(folder)):
        for path in (Path(parent, name) for name in sorted(names)):
            is_watched = _is_watched(Event.modified, str(path.relative_to(folder)))
            # A file that is gone now was an editor's temporary one; its end is the next change.
            with suppress(OSError):
                if is_watched and path.suffix != ".so" and path.is_file():
                    yield path, path.read_bytes()
