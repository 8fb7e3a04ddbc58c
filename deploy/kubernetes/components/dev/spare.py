"""The next process of a service: imports packages, waits for the service's code, and runs it.

    spare.py -m PACKAGE ARGUMENTS...

It imports the third-party packages that the code needs, which is most of the time of a start. Then
it waits for a line on standard input, the PYTHONPATH of the code to run, and becomes the process
that `python -m PACKAGE ARGUMENTS...` would be. It ends if its input ends without a line.

Until then our own code is only parsed, never imported: what will run is a newer state of it.
"""

import ast
import importlib
import os
import runpy
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# On most systems both are the same folder.
_INSTALLED = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}


def import_packages(package: str) -> None:
    """Import the third-party modules that the code of our package imports outside of functions."""
    seen, waiting = set(), list(_modules_of(package))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            # What does not work here does not work for the service either, which reports it.
            with suppress(Exception):
                waiting += _imported_by(name)


def _modules_of(package: str) -> Iterator[str]:
    """All modules, because some are only named in settings; but services import no migrations."""
    if folder := _folder_of_ours(package):
        for file in folder.rglob("*.py"):
            module = file.relative_to(folder.parent).with_suffix("")
            if "migrations" not in module.parts:
                yield ".".join(module.parts)


def _imported_by(module: str) -> list[str]:
    """Import a third-party module, or return what one of ours imports."""
    package, *names = module.split(".")
    folder = _folder_of_ours(package)
    if folder is None:
        importlib.import_module(module)
        return []
    path = folder.joinpath(*names)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return [name for line in ast.parse(file.read_bytes()).body for name in _names_in(line)]


def _names_in(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [imported.name for imported in statement.names]
    if isinstance(statement, ast.ImportFrom) and statement.module:
        # What is imported from a package can be a module.
        names = (imported.name for imported in statement.names)
        return [statement.module, *(f"{statement.module}.{name}" for name in names)]
    return []


@cache
def _folder_of_ours(package: str) -> Path | None:
    """The folder of a package that is neither installed nor a part of Python."""
    spec = None if package in sys.stdlib_module_names else find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return None if _INSTALLED & {folder, folder.parent} else folder


def _times_of_installation() -> list[int]:
    return [folder.stat().st_mtime_ns for folder in _INSTALLED if folder.exists()]


def _has_one_of(modules: set[str], path: list[str]) -> bool:
    return any(file.stem in modules for folder in path for file in Path(folder).glob("*"))


def main() -> None:
    """Import packages, wait for the code, run it."""
    _, _, package, *arguments = sys.argv
    before, times = os.environ.get("PYTHONPATH", "").split(":"), _times_of_installation()
    import_packages(package)
    line = sys.stdin.readline()
    if not line:
        return
    os.environ["PYTHONPATH"] = line.rstrip("\n")
    path = [folder for folder in os.environ["PYTHONPATH"].split(":") if folder]
    if times != _times_of_installation() or _has_one_of(set(sys.modules), path):
        # A module that is already imported might not be the one that the code means.
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 (needs no shell)
    others = [entry for entry in sys.path[1:] if entry not in before]
    sys.path[:] = [str(Path.cwd()), *path, *others]
    sys.argv[1:] = arguments
    importlib.invalidate_caches()
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
