"""The supervisor as the first process of a container."""

from testkit.docker import IMAGES, docker, run_docker
from testkit.waiting import wait_until
from tooling.supervision import SUPERVISOR


def test_container_that_waits_for_code_can_be_stopped() -> None:
    """While no code has arrived, SIGTERM ends the container, although it is its first process."""
    container = docker(
        "run",
        "--detach",
        f"--volume={SUPERVISOR}:/development/supervisor.py:ro",
        "--entrypoint=python",
        IMAGES[0].reference,
        "/development/supervisor.py",
        "wait",
        "/tmp",
    ).strip()

    def has_ended() -> bool:
        # Again and again: the first ones may come before Python has started.
        state = docker("inspect", "--format={{.State.Running}} {{.State.ExitCode}}", container)
        if state.startswith("true"):
            run_docker("kill", "--signal=TERM", container)
        return state.strip() == "false 143"

    try:
        wait_until(has_ended, what="the end of the container", seconds=30)
    finally:
        docker("rm", "--force", container)
