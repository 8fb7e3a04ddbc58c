"""`make deploy`: deploys an overlay to the cluster of a kubectl context."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.stand_ins import Workplace

ADDRESSES = tuple(
    f"{name}-database{role}-url" for name in ("thoughts", "users") for role in ("", "-owner")
)
AUTHORITY = "database-ca.crt"


def agree(workplace: Workplace, word: str, **settings: str) -> str:
    """Run `deploy` at a terminal, type a word, and return all its output."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "deploy", "deploy"],
        cwd=workplace.tree,
        env=workplace.environment(settings),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        os.close(theirs)
        os.write(ours, f"{word}\n".encode())
        output, _ = process.communicate(timeout=60)
    os.close(ours)
    return output


def production(workplace: Workplace) -> Path:
    """Return the folder of production's secret files, with the addresses of its databases."""
    folder = workplace.secrets.parent.parent / "production" / "secrets"
    folder.mkdir()
    for name in ("private-keys.json", "public-keys.json"):
        shutil.copy(workplace.secrets / name, folder)
    for name in ADDRESSES:
        (folder / name).write_text("postgresql://user:password@db.example.com/name\n")
    (folder / AUTHORITY).write_text("-----BEGIN CERTIFICATE-----\n")
    return folder


def test_cluster_is_named_before_anything_is_done(workplace: Workplace) -> None:
    """The question names the context, the server's address, the overlay and the namespace."""
    output = agree(workplace, "no", IMAGE_LOADER="none")

    assert "(overlay local) in the cluster somewhere (https://192.0.2.1:6443)" in output
    assert "namespace example" in output
    assert "Nothing was done." in output
    assert workplace.calls("make") == []


def test_deploys_after_a_yes(workplace: Workplace) -> None:
    """Typing yes at the terminal is enough."""
    output = agree(workplace, "yes", IMAGE_LOADER="none")

    assert "MyThoughts is ready after" in output


def test_refuses_without_a_terminal(workplace: Workplace) -> None:
    """Without a terminal to ask at, nothing is done, and the message says how to proceed."""
    outcome = workplace.run("deploy", IMAGE_LOADER="none")

    assert outcome.status == 1
    assert "add YES=1 to the command" in outcome.errors


def test_kubectl_never_follows_a_changed_context(workplace: Workplace) -> None:
    """Every kubectl command for the cluster names the context that was shown."""
    workplace.run("deploy", YES="1", IMAGE_LOADER="none")

    on_cluster = [call for call in workplace.calls("kubectl") if call.words[1] != "config"]
    assert on_cluster
    assert all(call.words[1:3] == ["--context", "somewhere"] for call in on_cluster)


def test_context_can_be_named(workplace: Workplace) -> None:
    """CONTEXT is used instead of the current context."""
    workplace.install("kind")

    outcome = workplace.run("deploy", YES="1", CONTEXT="kind-mythoughts", WAIT_SECONDS="0")

    assert "in the cluster kind-mythoughts" in outcome.output
    assert workplace.calls("kubectl --context kind-mythoughts apply")


def test_unknown_context_is_refused(workplace: Workplace) -> None:
    """A context that kubectl does not know is an error, which lists the known ones."""
    outcome = workplace.run("deploy", YES="1", CONTEXT="nowhere")

    assert outcome.status == 1
    assert "CONTEXT=nowhere is not one of kind-mythoughts, somewhere." in outcome.errors


def test_missing_context_is_explained(workplace: Workplace) -> None:
    """Without a cluster the message names the verb that creates one."""
    workplace.answer("kubectl config get-contexts", "")

    outcome = workplace.run("deploy", YES="1")

    assert "`make cluster-up` creates one" in outcome.errors


def test_missing_kubectl_is_explained(tmp_path: Path) -> None:
    """Without kubectl the message says what is missing."""
    outcome = Workplace(tmp_path).run("deploy", YES="1")

    assert outcome.status == 1
    assert "kubectl is needed" in outcome.errors
    assert "Traceback" not in outcome.errors


def test_images_are_named_by_their_contents(workplace: Workplace) -> None:
    """What is applied names each image with a part of its id, so that new code is rolled out."""
    workplace.run("deploy", YES="1", IMAGE_LOADER="none")

    (applied,) = workplace.calls("kubectl --context somewhere apply")
    assert "image: mythoughts/thoughts-backend:1.0.0-0aaaaaaaaaaa\n" in applied.text
    assert "image: mythoughts/frontend:1.0.0-2aaaaaaaaaaa\n" in applied.text
    assert [call.words[-1] for call in workplace.calls("docker image tag")] == [
        "mythoughts/thoughts-backend:1.0.0-0aaaaaaaaaaa",
        "mythoughts/users-backend:1.0.0-1aaaaaaaaaaa",
        "mythoughts/frontend:1.0.0-2aaaaaaaaaaa",
    ]


def test_plain_names_of_images_are_brought_too(workplace: Workplace) -> None:
    """Nodes also have the names in the manifests: `kubectl apply -k` after it does no harm."""
    workplace.install("import-images")

    workplace.run("deploy", YES="1", IMAGE_LOADER="import-images")

    (saved,) = workplace.calls("docker image save")
    assert [image for image in saved.words if image.endswith(":1.0.0")] == [
        "mythoughts/thoughts-backend:1.0.0",
        "mythoughts/users-backend:1.0.0",
        "mythoughts/frontend:1.0.0",
    ]


def test_loader_has_to_be_told_for_an_unknown_cluster(workplace: Workplace) -> None:
    """Where it is unknown how to load images, nothing is built and nothing is guessed."""
    outcome = workplace.run("deploy", YES="1")

    assert outcome.status == 1
    assert "REGISTRY=localhost:5001" in outcome.errors
    assert "IMAGE_LOADER='sudo k3s ctr images import -'" in outcome.errors
    assert workplace.calls("make") == []


def test_loader_reads_what_docker_saves(workplace: Workplace) -> None:
    """The command in IMAGE_LOADER gets the images on its standard input."""
    workplace.install("import-images")
    workplace.answer("docker image save", "contents of the images")

    outcome = workplace.run("deploy", YES="1", IMAGE_LOADER="import-images --from -")

    (call,) = workplace.calls("import-images")
    assert outcome.status == 0, outcome.errors
    assert call.words == ["import-images", "--from", "-"]
    assert call.text == "contents of the images"


def test_failed_loader_stops_the_deployment(workplace: Workplace) -> None:
    """The loader's own error message is shown, and nothing is applied."""
    workplace.install("import-images")
    workplace.answer("import-images", status=3, error="no room on the device")

    outcome = workplace.run("deploy", YES="1", IMAGE_LOADER="import-images")

    assert outcome.status == 1
    assert "no room on the device" in outcome.errors
    assert workplace.calls("kubectl --context somewhere apply") == []


def test_docker_desktop_needs_no_loader(workplace: Workplace) -> None:
    """Docker Desktop's cluster uses the images of the same Docker."""
    workplace.answer("kubectl config get-contexts", "docker-desktop\n")
    workplace.answer("kubectl config current-context", "docker-desktop\n")

    outcome = workplace.run("deploy", YES="1")

    assert outcome.status == 0, outcome.errors
    assert workplace.calls("docker image save") == []


def test_failed_build_stops_the_deployment(workplace: Workplace) -> None:
    """The last lines of the build's output are shown, and nothing is applied."""
    workplace.answer("make images", status=2, error="step 7 of 9: no such file")

    outcome = workplace.run("deploy", YES="1", IMAGE_LOADER="none")

    assert outcome.status == 1
    assert "step 7 of 9: no such file" in outcome.errors
    assert workplace.calls("kubectl --context somewhere apply") == []


def test_missing_secrets_are_made(workplace: Workplace) -> None:
    """The first deployment creates the files, and says which."""
    shutil.rmtree(workplace.secrets)

    outcome = workplace.run("deploy", YES="1", IMAGE_LOADER="none")

    assert "Created in deploy/kubernetes/overlays/local/secrets: admin-password" in outcome.output
    assert (workplace.secrets / "private-keys.json").exists()


def test_second_deployment_keeps_the_secrets(workplace: Workplace) -> None:
    """Later deployments keep the passwords that the databases were created with."""
    before = (workplace.secrets / "users-database-password").read_text()

    workplace.run("deploy", YES="1", IMAGE_LOADER="none")

    assert (workplace.secrets / "users-database-password").read_text() == before


def test_production_asks_for_the_addresses(workplace: Workplace) -> None:
    """Without the databases' addresses and authority nothing is applied; the files are named."""
    outcome = workplace.run("deploy", YES="1", OVERLAY="production")

    assert outcome.status == 1
    for name in (*ADDRESSES, AUTHORITY):
        assert f"overlays/production/secrets/{name}" in outcome.errors
    assert workplace.calls("kubectl --context somewhere apply") == []


def test_production_builds_nothing(workplace: Workplace) -> None:
    """In production the cluster pulls the images that the overlay names."""
    production(workplace)

    outcome = workplace.run("deploy", YES="1", OVERLAY="production")

    (applied,) = workplace.calls("kubectl --context somewhere apply")
    assert outcome.status == 0, outcome.errors
    assert "image: mythoughts/frontend:1.0.0\n" in applied.text
    assert workplace.calls("make") == workplace.calls("docker") == []


def test_production_gets_no_demonstration(workplace: Workplace) -> None:
    """Passwords of users that do not exist are not printed."""
    production(workplace)

    outcome = workplace.run("deploy", YES="1", OVERLAY="production")

    assert "MyThoughts is ready" in outcome.output
    assert "bruce" not in outcome.output


def test_unknown_overlay_is_refused(workplace: Workplace) -> None:
    """The message lists the overlays that exist."""
    outcome = workplace.run("deploy", YES="1", OVERLAY="staging")

    assert "OVERLAY=staging is not one of local, production." in outcome.errors


@pytest.mark.parametrize("seconds", ["soon", "-1", "1.5"])
def test_odd_time_limit_is_refused(workplace: Workplace, seconds: str) -> None:
    """WAIT_SECONDS is a whole number of seconds."""
    outcome = workplace.run("deploy", YES="1", IMAGE_LOADER="none", WAIT_SECONDS=seconds)

    assert f"WAIT_SECONDS={seconds} is not a number of seconds." in outcome.errors


def test_undeploy_deletes_the_namespace(workplace: Workplace) -> None:
    """Everything is in one namespace, so the namespace is deleted."""
    outcome = workplace.run("undeploy", YES="1")

    assert outcome.status == 0, outcome.errors
    assert "every user and thought" in outcome.output
    assert workplace.calls("kubectl --context somewhere delete namespace example")


def test_undeploy_asks(workplace: Workplace) -> None:
    """Without a terminal to ask at, nothing is deleted."""
    outcome = workplace.run("undeploy")

    assert outcome.status == 1
    assert "add YES=1 to the command" in outcome.errors
    assert workplace.calls("kubectl --context somewhere delete") == []
