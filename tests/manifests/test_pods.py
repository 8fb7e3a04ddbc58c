"""Rules for every pod, and for the pods of the three services."""

from dataclasses import MISSING
from importlib import import_module
from typing import Any

import pytest
import yaml

from local.stack import STOP_SECONDS
from mythoughts_chassis.connections import FINISH_SECONDS
from mythoughts_chassis.observation import UNOBSERVED_PATHS
from mythoughts_chassis.settings import OwnerSettings, describe_settings
from testkit.manifest_objects import (
    SERVICES,
    all_containers,
    containers,
    environment,
    named,
    of_kind,
    pods,
)
from testkit.manifests import Manifest, Manifests
from tooling.project import ROOT

# Created by CloudNativePG's operator, by cert-manager, or by hand as the manifest says.
FOREIGN_SECRETS = {
    f"{name}-database-{part}" for name in ("thoughts", "users") for part in ("app", "ca")
}
# What asyncpg reads by itself, as libpq does, and Python.
DRIVER_VARIABLES = {"PGSSLMODE", "PGSSLROOTCERT", "PYTHONPATH"}
# The settings of the commands that do not serve.
COMMANDS: dict[str, type] = {
    "migrate": OwnerSettings,
}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    """Each of the three services."""
    return str(request.param)


def test_pods_may_run_where_pod_security_is_restricted(rendered: tuple[Manifest, ...]) -> None:
    """No root, no privileges, no capabilities, and the runtime's default seccomp profile."""
    for name, pod in pods(rendered):
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"], name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_namespaces_enforce_pod_security(rendered: tuple[Manifest, ...]) -> None:
    """The cluster rejects pods that are not `restricted`."""
    (namespace,) = of_kind(rendered, "Namespace")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_only_what_calls_the_api_server_has_a_token(rendered: tuple[Manifest, ...]) -> None:
    """No other pod can call the API server, or gets other services in its environment."""
    for name, pod in pods(rendered):
        has_token = pod["spec"]["automountServiceAccountToken"]
        assert has_token is (name in ("traefik", "generate-secrets"))
        assert pod["spec"]["enableServiceLinks"] is False


def test_every_container_says_what_it_needs(rendered: tuple[Manifest, ...]) -> None:
    """Each has requests and limits for CPU and memory."""
    for name, container in all_containers(rendered):
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) == {"cpu", "memory"}, name


def test_every_container_leaves_its_last_words(rendered: tuple[Manifest, ...]) -> None:
    """If a container exits with an error, `kubectl describe pod` shows the end of its log."""
    for name, container in all_containers(rendered):
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError", name


def test_what_pods_mount_is_there(rendered: tuple[Manifest, ...]) -> None:
    """Every Secret, ConfigMap and claim that a pod names is created by the same manifests."""
    made = {(o["kind"], o["metadata"]["name"]) for o in rendered}
    made |= {("Secret", name) for name in FOREIGN_SECRETS}

    for _, pod in pods(rendered):
        for volume in pod["spec"].get("volumes", []):
            assert {(kind, name) for kind, name, _ in _sources(volume)} <= made


def test_only_the_users_backend_has_private_keys(rendered: tuple[Manifest, ...]) -> None:
    """No other container can sign a token, not even the init containers of its pod."""
    with_keys = {
        (name, container["name"])
        for name, pod in pods(rendered)
        for volume in pod["spec"].get("volumes", [])
        if "token-private-keys" in _names(volume)
        for container in containers(pod)
        if volume["name"] in {mount["name"] for mount in container["volumeMounts"]}
    }

    assert with_keys <= {("users-backend", "users-backend")}


def test_services_never_have_the_owners_addresses(rendered: tuple[Manifest, ...]) -> None:
    """Only what migrates, loads demonstration data or backs up can change tables."""
    with_address = {
        container["name"]
        for _, pod in pods(rendered)
        for volume in pod["spec"].get("volumes", [])
        if any(name.endswith(("-database-owner", "-database-app")) for name in _names(volume))
        for container in containers(pod)
        if volume["name"] in {mount["name"] for mount in container["volumeMounts"]}
    }

    assert with_address <= {"migrate", "back-up"}


def test_services_are_told_what_they_know(rendered: tuple[Manifest, ...]) -> None:
    """Every variable of a service's container is one of its settings, or used by another one."""
    for name, container in _service_containers(rendered):
        known = {setting for setting, *_ in _settings(name, container)}
        variables = environment(container)
        values = "".join(value or "" for value in variables.values())
        for variable in variables:
            is_known = variable.removesuffix("_FILE") in known | DRIVER_VARIABLES
            assert is_known or f"$({variable})" in values


def test_services_are_told_what_they_need(rendered: tuple[Manifest, ...]) -> None:
    """Every setting without a default is set, also for the containers that only migrate."""
    for name, container in _service_containers(rendered):
        settings = _settings(name, container)
        required = {setting for setting, _, default in settings if default is MISSING}
        given = {variable.removesuffix("_FILE") for variable in environment(container)}
        assert required <= given


def test_files_that_services_are_told_of_are_mounted(rendered: tuple[Manifest, ...]) -> None:
    """Each file path in the settings is a file mounted in the container."""
    for name in SERVICES.keys() & {owner for owner, _ in pods(rendered)}:
        pod = dict(pods(rendered))[name]
        for container in containers(pod):
            files = _mounted_files(rendered, pod, container)
            for variable, value in environment(container).items():
                if variable.endswith(("_PATH", "_FILE")) or variable == "PGSSLROOTCERT":
                    assert value in files


def test_probes_ask_what_is_meant(local: tuple[Manifest, ...], service: str) -> None:
    """Only readiness checks more than the process itself: a lost database restarts nothing."""
    (container,) = named(local, "Deployment", service)["spec"]["template"]["spec"]["containers"]

    paths = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }

    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert set(paths.values()) < set(UNOBSERVED_PATHS)


def test_there_is_time_to_stop(local: tuple[Manifest, ...], service: str) -> None:
    """A pod has more time than it takes to drain and to finish requests in flight."""
    pod = named(local, "Deployment", service)["spec"]["template"]["spec"]
    drain_seconds = float(environment(pod["containers"][0])["DRAIN_SECONDS"])

    assert drain_seconds > 0
    assert pod["terminationGracePeriodSeconds"] > drain_seconds + FINISH_SECONDS


def test_there_is_time_to_stop_without_kubernetes() -> None:
    """Compose and `make up` kill a service only after it could finish requests in flight."""
    compose = yaml.safe_load((ROOT / "deploy/compose/hardened.yaml").read_text())
    grace = compose["services"]["service"]["stop_grace_period"]

    assert float(grace.removesuffix("s")) > FINISH_SECONDS
    assert STOP_SECONDS > FINISH_SECONDS


def test_no_pod_goes_before_the_next_is_ready(local: tuple[Manifest, ...], service: str) -> None:
    """A rollout adds a pod first; with a bad version it stops there, and the old pods serve."""
    strategy = named(local, "Deployment", service)["spec"]["strategy"]

    assert strategy == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }


def test_scaling_outlives_the_next_apply(local: tuple[Manifest, ...], service: str) -> None:
    """The manifests leave the number of pods to the autoscaler, or to `kubectl scale`."""
    assert "replicas" not in named(local, "Deployment", service)["spec"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_container_runs_the_working_tree(manifests: Manifests, service: str) -> None:
    """With the component `dev` a pod waits for the code, and all its containers run that."""
    pod = dict(pods(manifests.render("local+dev")))[service]
    (first, *initial), (serving,) = pod["spec"]["initContainers"], pod["spec"]["containers"]
    mounts = [{mount["mountPath"] for mount in c["volumeMounts"]} for c in containers(pod)]

    assert first["command"] == ["python", "/development/supervisor.py", "wait", "/source"]
    assert all("/source/current/service" in environment(c)["PYTHONPATH"] for c in initial)
    assert serving["command"][2:] == ["run", "/source", "python", "-m", SERVICES[service]]
    assert all({"/source", "/development"} <= mounted for mounted in mounts)


def _service_containers(objects: tuple[Manifest, ...]) -> list[tuple[str, dict[str, Any]]]:
    # `source`, of the component `dev`, has the image of a service, but runs none.
    return [
        (name, container)
        for name, container in all_containers(objects)
        if name in SERVICES and container["name"] != "source"
    ]


def _settings(service: str, container: dict[str, Any]) -> list[tuple[str, str, object]]:
    """The settings of the command that the container runs."""
    command, *_ = container.get("args", ["serve"])
    serving = import_module(f"{SERVICES[service]}.settings").Settings
    return list(describe_settings(COMMANDS.get(command, serving)))


def _sources(volume: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, name and description of each object that a volume contains."""
    if "projected" in volume:
        sources = volume["projected"]["sources"]
        return [("Secret", source["secret"]["name"], source["secret"]) for source in sources]
    names = {"secret": "secretName", "configMap": "name", "persistentVolumeClaim": "claimName"}
    kinds = {"secret": "Secret", "configMap": "ConfigMap"}
    return [
        (kinds.get(key, "PersistentVolumeClaim"), volume[key][name], volume[key])
        for key, name in names.items()
        if key in volume
    ]


def _names(volume: dict[str, Any]) -> set[str]:
    """The names of the objects that a volume contains."""
    return {name for _, name, _ in _sources(volume)}


def _mounted_files(
    objects: tuple[Manifest, ...], pod: dict[str, Any], container: dict[str, Any]
) -> set[str]:
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    return {
        f"{mount['mountPath']}/{file}"
        for mount in container["volumeMounts"]
        for file in _files_in(objects, volumes[mount["name"]])
    }


def _files_in(objects: tuple[Manifest, ...], volume: dict[str, Any]) -> set[str]:
    """The names of the files in a volume."""
    files: set[str] = set()
    for kind, name, source in _sources(volume):
        if "items" in source:
            files |= {item["path"] for item in source["items"]}
        elif kind != "PersistentVolumeClaim":
            files |= set(named(objects, kind, name)["data"])
    return files


def test_pods_get_requests_soon_after_they_are_ready(
    local: tuple[Manifest, ...], service: str
) -> None:
    """Readiness is asked every second: a longer pause would prolong every outage."""
    probe = dict(all_containers(local))[service]["readinessProbe"]

    assert probe["periodSeconds"] == 1
