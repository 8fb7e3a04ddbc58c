"""`make dev CLUSTER=1`: one service here, among the others in the cluster."""

import socket
from base64 import b64encode

import pytest

from local.ports import free_port
from testkit.developer import Developer, Run
from testkit.http_client import HttpClient
from testkit.waiting import wait_until
from tooling.readiness import is_ready


@pytest.fixture
def one_here(developer: Developer) -> tuple[Run, str]:
    """A run of the Thoughts Backend on this machine, which answers with what it was told."""
    url = b64encode(b"postgresql://thoughts:secret@thoughts-database:5432/thoughts\n").decode()
    developer.cluster.objects |= {
        "secret/thoughts-database": {"data": {"url": url}},
        "configmap/token-public-keys": {"data": {"public-keys.json": "{}"}},
        "services": {
            "items": [
                {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}
                for name in ("thoughts-service", "users-service", "thoughts-database")
            ]
        },
    }
    developer.cluster.forwarded = {"service/users-service": 7001, "service/thoughts-database": 7002}
    (developer.package("thoughts-backend") / "text.py").write_text(
        "import os\n"
        "from pathlib import Path\n"
        "files = [Path(os.environ[f]) for f in ('DATABASE_URL_FILE', 'TOKEN_PUBLIC_KEYS_PATH')]\n"
        "TEXT = [os.environ['USERS_BACKEND_URL'], *(f.read_text().strip() for f in files)]\n"
    )
    port = free_port()
    run = developer.start("dev", SERVICE="thoughts-backend", THOUGHTS_PORT=str(port))
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: is_ready(f"{address}/"), what=lambda: run.output)
    return run, address


def test_one_service_runs_here_with_what_its_pods_know(one_here: tuple[Run, str]) -> None:
    """It has their settings, keys and passwords, and reaches what they call by forwarded ports."""
    _, address = one_here

    assert HttpClient(address).get("/").text.strip() == str(
        [
            "http://127.0.0.1:7001",
            "postgresql://thoughts:secret@127.0.0.1:7002/thoughts",
            "{}",
        ]
    )


def test_port_of_the_service_must_be_free(developer: Developer) -> None:
    """A port that another program uses, such as `make up`, is reported before anything starts."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        run = developer.start("dev", SERVICE="thoughts-backend", THOUGHTS_PORT=port)

        assert run.process.wait(60) == 1

    assert f"port {port}. Choose another: THOUGHTS_PORT=PORT" in run.output
    assert "Traceback" not in run.output


def test_service_that_does_not_start_has_no_address(
    developer: Developer, one_here: tuple[Run, str]
) -> None:
    """Nobody is sent to an address where nothing answers."""
    working, address = one_here
    working.wait_for(f"Thoughts Backend: {address.replace('127.0.0.1', 'localhost')}/")
    working.interrupt()
    developer.write_text("one", "thoughts-backend")
    (developer.package("thoughts-backend") / "__main__.py").write_text("raise SystemExit(3)\n")

    broken = developer.start("dev", SERVICE="thoughts-backend", THOUGHTS_PORT=address.split(":")[2])

    assert broken.process.wait(60) == 1
    assert "Thoughts Backend: http" not in broken.output


def test_end_waits_for_the_service_here(developer: Developer, one_here: tuple[Run, str]) -> None:
    """Ctrl-C returns to the prompt when the service has finished what it does."""
    run, _ = one_here
    finished = developer.tree / "finished"
    (developer.package("thoughts-backend") / "text.py").write_text(
        "import signal, sys, time\n"
        "from pathlib import Path\n"
        "def end(*_):\n"
        "    time.sleep(1)\n"
        f"    Path({str(finished)!r}).touch()\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "TEXT = 'two'\n"
    )
    run.wait_for("text.py changed: live after")

    run.interrupt()

    assert finished.exists()


def test_one_service_here_changes_with_its_code(
    developer: Developer, one_here: tuple[Run, str]
) -> None:
    """Its process is replaced when a file is saved, and Ctrl-C ends it."""
    run, address = one_here

    developer.write_text("two", "thoughts-backend")
    run.wait_for("text.py changed: live after")
    answer = HttpClient(address).get("/").text
    run.interrupt()

    assert answer == "two "
    assert run.process.returncode == 0
    assert not is_ready(f"{address}/")
