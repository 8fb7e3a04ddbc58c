"""`make up` in a fresh clone on machines with unusual setups.

`make test` runs a part of the table that depends on the date; `make test-newcomer` runs all of it.
"""

import datetime as dt
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from testkit.deaf import DEAF
from testkit.trees import temporary_tree

ROWS_A_DAY = 2
# So that the packages need not be downloaded again.
CACHE = {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")}


class Machine(NamedTuple):
    """A newcomer's machine: the folder of the clone, and the environment that `make` inherits.

    In texts `{home}` is the home directory. `before` precedes `make` in the command line;
    `mode` is the `chmod` mode of the clone.
    """

    folder: str
    environment: dict[str, str]
    before: tuple[str, ...] = ()
    mode: str = "u+rwX"


MACHINES = {
    "foreign python": Machine(
        "C# %20 [a-z]*?",
        {
            "PYTHONPATH": "{home}/foreign",
            "PYTHONHOME": "/nowhere",
            "PYTHONSAFEPATH": "1",
            "PYTHONSTARTUP": "{home}/foreign/psutil.py",
            "PYTHONOPTIMIZE": "2",
            "PYTHONWARNINGS": "error",
            "VIRTUAL_ENV": "/nowhere",
            "UV_TARGET": "{home}/elsewhere",
        },
    ),
    "pip's environment": Machine(
        "it's #1 (x) & y;z",
        {"PIP_USER": "1", "PIP_TARGET": "{home}/elsewhere", "PIP_PREFIX": "{home}/elsewhere"},
    ),
    "pip's configuration": Machine(
        "-x, y=z !~|<>^@{}", {"HOME": "{home}", "PIP_REQUIRE_VIRTUALENV": "1"}
    ),
    "no home": Machine(" lead and trail ", {"TMPDIR": "/nowhere"}, ("env", "-u", "HOME")),
    "no cache": Machine(
        "我的想法 é",
        {
            "HOME": "/proc/nowhere",
            "XDG_CACHE_HOME": "/proc/nowhere",
            "LC_ALL": "C",
            "LANG": "xx_YY.ISO-8859-15",
        },
    ),
    "strict umask": Machine(
        "private", {"TMPDIR": "{home}"}, ("sh", "-c", 'umask 077; exec "$@"', "sh"), "go="
    ),
    "other projects' settings": Machine(
        "/".join(["x" * 200] * 3),
        {
            "DATABASE_URL": "mysql://nowhere",
            "HOST": "192.0.2.1",
            "PORT": "http",
            "DJANGO_SETTINGS_MODULE": "nothing",
            "PGHOST": "/nowhere",
            "PGOPTIONS": "-c nothing=1",
            "PGPASSWORD": "wrong",
            "MAKEFLAGS": "-j4 --warn-undefined-variables",
            "CDPATH": "/:/tmp",
            "TZ": "Nowhere/Nowhere",
            "SESSION_COOKIE_AGE": "soon",
        },
        DEAF,
    ),
}


def _of_today(number: int) -> bool:
    days = dt.datetime.now(tz=dt.UTC).date().toordinal()
    return (number - days * ROWS_A_DAY) % len(MACHINES) < ROWS_A_DAY


@pytest.fixture
def home() -> Iterator[Path]:
    """A home directory that only its owner can enter, with a foreign module and pip settings."""
    with tempfile.TemporaryDirectory(prefix="mythoughts-home-") as folder:
        home = Path(folder)
        (home / "foreign").mkdir()
        (home / "foreign" / "psutil.py").write_text("raise SystemExit('foreign')")
        (home / ".config" / "pip").mkdir(parents=True)
        (home / ".config" / "pip" / "pip.conf").write_text(
            f"[global]\nuser = true\n[install]\ntarget = {home}/elsewhere\nprefix = {home}\n"
        )
        yield home


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(machine, id=name, marks=[] if _of_today(number) else pytest.mark.other_days)
        for number, (name, machine) in enumerate(MACHINES.items())
    ],
)
def test_make_up_works(machine: Machine, home: Path) -> None:
    """The system starts, serves its pages and stops, and writes nothing elsewhere."""
    settings = {
        name: text.replace("{home}", str(home)) for name, text in machine.environment.items()
    }
    for tree in temporary_tree(machine.folder):
        subprocess.run(["chmod", "-R", machine.mode, tree.path], check=True)
        up = tree.run(*machine.before, "make", "up", "BACKGROUND=1", **CACHE | settings)
        status = up.wait()
        page = tree.http("frontend").get("/login/").text if status == 0 else ""
        down = tree.run(*machine.before, "make", "down", **settings)
        down_status = down.wait()
        tree.run("make", "reset", "YES=1").wait()

        assert (status, down_status) == (0, 0), up.output + down.output
        assert 'name="password"' in page
        assert "Stopping MyThoughts" in down.output
        assert not (home / "elsewhere").exists()
