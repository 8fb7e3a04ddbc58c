"""`make cluster-dev`: a saved file runs in the pods."""

import signal
from collections.abc import Callable

import pytest

from testkit.developer import PACKAGES, Developer, Run, answer_of, deployment
from testkit.http_client import CONNECTION_ERRORS, HttpClient
from testkit.pretend_pod import Pod
from testkit.waiting import repeated, wait_until


def test_working_tree_runs_in_all_services(developer: Developer) -> None:
    """What differs from the images before the command starts is there at once."""
    for number, workload in enumerate(PACKAGES):
        developer.write_text(f"changed {number}", workload)

    run = developer.start()

    run.wait_for("the working tree: live in 1 pod", times=3)
    pods = [developer.cluster.pods_of(workload, ready=1)[0] for workload in PACKAGES]
    assert [answer_of(pod) for pod in pods] == [f"changed {number} " for number in range(3)]


def test_saved_file_is_live(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """A saved module is in use, and the time from saving it is printed."""
    run, pod = frontend

    developer.write_text("two")

    run.wait_for("text.py: live in 1 pod after ")
    assert answer_of(pod) == "two "


def test_no_other_service_is_touched(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """With SERVICE, the others keep their images."""
    assert not any(pod.takes_code for pod in developer.cluster.pods_of("users-backend"))
    assert developer.cluster.deployment("users-backend") == {
        **deployment("users-backend"),
        "metadata": {
            **deployment("users-backend")["metadata"],
            "annotations": {},
            "namespace": "example",
        },
        "spec": {**deployment("users-backend")["spec"], "replicas": 1},
    }


def test_deleted_and_renamed_files_are_gone(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """The pod has the files of the working tree and no others."""
    run, pod = frontend
    templates = developer.package() / "templates"
    for name in ("a.html", "b.html"):
        (templates / name).touch()
    wait_until(lambda: answer_of(pod) == "one a.html,b.html", what=lambda: run.output)

    (templates / "a.html").unlink()
    (templates / "b.html").rename(templates / "c.html")

    wait_until(lambda: answer_of(pod) == "one c.html", what=lambda: run.output)


def save_by_rename(developer: Developer) -> None:
    """Save as editors do that write a temporary file first."""
    path = developer.package() / "text.py"
    unfinished = path.with_name("text.py.tmp")
    unfinished.write_text("TEXT = 'two'\n")
    unfinished.replace(path)


def check_out_many(developer: Developer) -> None:
    """Change 200 files, the last of them the text."""
    for number in range(200):
        (developer.package() / f"module_{number}.py").write_text(f"NUMBER = {number}\n")
    developer.write_text("two")


@pytest.mark.parametrize("save", [save_by_rename, check_out_many])
def test_one_change_restarts_once(
    developer: Developer, frontend: tuple[Run, Pod], save: Callable[[Developer], None]
) -> None:
    """A save in several steps, or of many files, ends in its last state, in one restart."""
    run, pod = frontend

    # All of it has happened when it is noticed, however slow this machine is.
    run.process.send_signal(signal.SIGSTOP)
    save(developer)
    run.process.send_signal(signal.SIGCONT)
    wait_until(lambda: answer_of(pod) == "two ", what=lambda: run.output)
    # Whatever was still on its way has arrived before this.
    developer.write_text("three")
    wait_until(lambda: answer_of(pod) == "three ", what=lambda: run.output)

    starts = [line for line in pod.log if "started" in line]
    assert starts == [f"started with {text}\n" for text in ("one", "two", "three")]


def test_saves_during_a_sync_end_in_the_last_state(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """Of many saves, the last one counts; those before it may be skipped."""
    run, pod = frontend

    for number in range(30):
        developer.write_text(f"number {number}")
    wait_until(lambda: answer_of(pod) == "number 29 ", what=lambda: run.output)

    assert pod.log[-1] == "started with number 29\n"


def test_saving_without_a_change_does_nothing(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """A file that is saved with the same contents restarts nothing."""
    run, pod = frontend

    developer.write_text("one")
    (developer.package() / "text.py").touch()
    developer.write_text("two", "frontend")
    run.wait_for("text.py: live")

    assert len([line for line in pod.log if "started" in line]) == 2


def test_files_of_compilers_and_editors_are_no_code(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """Temporary files that editors write beside the code neither restart nor disturb a service."""
    run, pod = frontend

    for name in ("__pycache__/text.cpython-311.pyc.1", ".text.py.swp", "text.py~"):
        path = developer.package() / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("not code")
    developer.write_text("one")
    developer.write_text("two")
    run.wait_for("text.py: live")

    assert len([line for line in pod.log if "started" in line]) == 2


def test_broken_code_leaves_the_old_process(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """A syntax error is shown, while the old process serves; its correction is live."""
    run, pod = frontend

    (developer.package() / "text.py").write_text("TEXT = (\n")
    run.wait_for("text.py: the new process ended with exit status 1; the old process still serves")
    run.wait_for("SyntaxError")
    meanwhile = answer_of(pod)
    developer.write_text("two")
    run.wait_for("text.py: live")

    assert (meanwhile, answer_of(pod)) == ("one ", "two ")


def test_old_process_serves_until_the_new_one_is_ready(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """While new code takes its time to start, requests are answered."""
    run, pod = frontend
    begun, may_start = developer.tree / "begun", developer.tree / "may start"

    (developer.package() / "text.py").write_text(
        "import time\nfrom pathlib import Path\n"
        f"Path({str(begun)!r}).touch()\n"
        f"while not Path({str(may_start)!r}).exists():\n    time.sleep(0.02)\n"
        "TEXT = 'two'\n"
    )
    wait_until(begun.exists, what=lambda: run.output)
    meanwhile = answer_of(pod)
    may_start.touch()
    run.wait_for("text.py: live")

    assert (meanwhile, answer_of(pod)) == ("one ", "two ")


def test_no_request_fails_while_code_changes(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """The old process serves until the new one is ready, and the connections wait in one queue."""
    run, pod = frontend

    def ask() -> object:
        try:
            return HttpClient(pod.url).get("/").status
        except CONNECTION_ERRORS as error:
            return repr(error)

    with repeated(ask, threads=2) as outcomes:
        for number in range(3):
            developer.write_text(f"number {number}")
            run.wait_for("text.py: live", times=number + 1)

    # See `answer_of`.
    refused = [outcome for outcome in outcomes if "Refused" in str(outcome)]
    assert (refused, set(outcomes) & {200}) == ([], {200})
