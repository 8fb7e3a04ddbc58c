"""`make prepare`: prepares a cluster for docs/chapter.md."""

from testkit.stand_ins import Workplace


def test_services_are_deleted_once_their_data_is_loaded(workplace: Workplace) -> None:
    """The overlay is applied as a whole; then exactly what the reader will apply is deleted."""
    outcome = workplace.run("prepare", YES="1", IMAGE_LOADER="none")

    changes = [
        call.words[3:]
        for call in workplace.calls("kubectl --context somewhere ")
        if call.words[3] in ("apply", "delete")
    ]
    assert outcome.status == 0, outcome.errors
    assert changes == [
        ["apply", "--filename=-"],
        [
            *("delete", "deployments,services,ingresses"),
            "--selector=app.kubernetes.io/name in (thoughts-backend,users-backend,frontend)",
            *("--cascade=foreground", "--namespace", "example"),
        ],
    ]
    assert "docs/chapter.md applies them one by one." in outcome.output


def test_registry_is_passed_by(workplace: Workplace) -> None:
    """The services' files name images that a registry does not serve: the loader brings these."""
    workplace.install("kind")

    outcome = workplace.run(
        "prepare", YES="1", REGISTRY="localhost:5001", CONTEXT="kind-mythoughts"
    )

    (loaded,) = workplace.calls("kind load docker-image")
    assert outcome.status == 0, outcome.errors
    assert "mythoughts/frontend:1.0.0" in loaded.words
    assert workplace.calls("docker image push") == []


def test_way_for_images_is_asked_for(workplace: Workplace) -> None:
    """On a cluster of unknown kind a loader is needed; a registry would not do."""
    outcome = workplace.run("prepare", YES="1", REGISTRY="localhost:5001")

    assert outcome.status == 1
    assert "Name a command that reads the output of `docker image save`" in outcome.errors
    assert "REGISTRY" not in outcome.errors


def test_prepare_asks(workplace: Workplace) -> None:
    """It deletes running services, so without a terminal to ask at it does nothing."""
    outcome = workplace.run("prepare", IMAGE_LOADER="none")

    assert "add YES=1 to the command" in outcome.errors
    assert workplace.calls("kubectl --context somewhere delete") == []
