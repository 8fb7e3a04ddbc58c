"""Stopping containers, and a database that is down or rejects the password."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

from testkit.compose_project import Project
from testkit.docker import IMAGES, docker, inspected
from testkit.system import System, unique
from testkit.thoughts import share
from testkit.waiting import wait_until

BODY = b'{"username": "bruce", "password": "bruce"}'
HEAD = (
    b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)
THOUGHTS_IMAGE = IMAGES[0]
# Docker kills a container after this time, so stopping must take less.
GRACE_SECONDS = 20


def test_sigterm_ends_containers_in_order(stoppable: Project) -> None:
    """A service that is its container's first process gets SIGTERM and exits with status 0."""
    services = [image.name for image in IMAGES]

    started = time.monotonic()
    stoppable.compose("stop", *services)
    seconds = time.monotonic() - started

    states = [stoppable.details(service)["State"] for service in services]
    assert [state["ExitCode"] for state in states] == [0, 0, 0]
    assert seconds < GRACE_SECONDS


def test_request_in_flight_is_answered(stoppable: Project) -> None:
    """A request whose body was half sent when the container was stopped is still answered."""
    address = ("127.0.0.1", stoppable.ports["USERS_PORT"])
    with socket.create_connection(address, 10) as client, ThreadPoolExecutor() as pool:
        client.sendall(HEAD + BODY[:10])
        time.sleep(0.5)  # Until the server has read the first half.
        stopping = pool.submit(stoppable.compose, "stop", "users-backend")
        wait_until(lambda: "stopping" in stoppable.compose("logs", "users-backend"), what="SIGTERM")
        client.sendall(BODY[10:])
        answer = client.makefile("rb").readline()
        stopping.result()

    assert answer == b"HTTP/1.1 200 OK\r\n"
    assert stoppable.details("users-backend")["State"]["ExitCode"] == 0


def test_database_that_was_away_is_used_again(stoppable: Project, project_system: System) -> None:
    """While the database is down no container is restarted, and afterwards everything works."""
    user = project_system.new_user()
    before = stoppable.details("thoughts-backend")["State"]["StartedAt"]

    stoppable.compose("stop", "thoughts-database")
    away = project_system.thoughts(user).get("/api/me/thoughts/").status
    wait_until(lambda: stoppable.health("thoughts-backend") == "unhealthy", what="unhealthy")
    stoppable.compose("start", "thoughts-database")
    wait_until(lambda: stoppable.health("thoughts-backend") == "healthy", what="healthy")

    after = stoppable.details("thoughts-backend")
    assert away == 503
    assert share(project_system.thoughts(user), unique("after"))
    assert after["State"]["StartedAt"] == before
    assert after["RestartCount"] == 0


def last_health_check(container: str) -> str:
    """The output of the container's last health check, empty before the first."""
    checks = inspected(container)["State"]["Health"]["Log"]
    return str(checks[-1]["Output"]) if checks else ""


def test_wrong_password_is_told_and_not_hidden(stoppable: Project) -> None:
    """A service whose database rejects the password keeps running, unready, and logs the reason."""
    keys = "/etc/mythoughts/token-public-keys"
    container = docker(
        "run",
        "--detach",
        f"--network={stoppable.name}_thoughts-database",
        f"--volume={stoppable.name}_token-public-keys:{keys}:ro",
        f"--env=TOKEN_PUBLIC_KEYS_PATH={keys}/public-keys.json",
        "--env=USERS_BACKEND_URL=http://users-backend:8000",
        "--env=DATABASE_URL=postgresql://thoughts:wrong@thoughts-database:5432/thoughts",
        THOUGHTS_IMAGE.reference,
    ).strip()
    try:
        # Before the service listens, health checks find nobody.
        wait_until(lambda: "503" in last_health_check(container), what="it is unready")
        state, log = inspected(container)["State"], docker("logs", container)
    finally:
        docker("rm", "--force", container)

    assert state["Running"]
    assert 'password authentication failed for user \\"thoughts\\"' in log
    assert "wrong" not in log
