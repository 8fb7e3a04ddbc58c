"""What is specific to the local overlay and to the production overlay."""

from base64 import b64decode
from typing import Any
from urllib.parse import urlsplit

import pytest

from frontend.pages.urls import PAGES
from frontend.serving.static_files import static_address
from testkit.manifest_objects import (
    SERVICES,
    all_containers,
    environment,
    named,
    of_kind,
    paths_of,
    pods,
)
from testkit.manifests import Manifest, Manifests

DATABASES = ("thoughts-database", "users-database")
# The names of the Ingresses, by what their hosts begin with.
INGRESSES = {
    "thoughts": "thoughts-backend-ingress",
    "users": "users-backend-ingress",
    "frontend": "frontend-ingress",
}
INTERNAL_PATHS = ("/schema/swagger", "/metrics", "/healthz", "/readyz")


def leads_in(ingress: Manifest, path: str) -> bool:
    """Whether an Ingress forwards a request for this path to its Service."""
    return any(
        path == pattern or (kind == "Prefix" and f"{path}/".startswith(f"{pattern.rstrip('/')}/"))
        for kind, pattern in paths_of(ingress)
    )


def test_local_hosts_are_those_of_the_map(local: tuple[Manifest, ...]) -> None:
    """Each Ingress has the documented host, and one that needs no entry in /etc/hosts."""
    hosts = {
        ingress["metadata"]["name"]: [rule["host"] for rule in ingress["spec"]["rules"]]
        for ingress in of_kind(local, "Ingress")
    }

    assert hosts == {
        ingress: [f"{name}.example.local", f"{name}.localhost"]
        for name, ingress in INGRESSES.items()
    }


def test_local_services_have_ports_of_the_node(local: tuple[Manifest, ...]) -> None:
    """Each service is also reachable without the Ingress, as in the book's chapter."""
    ports = {
        service["metadata"]["name"]: service["spec"]["ports"][0].get("nodePort")
        for service in of_kind(local, "Service")
        if service["spec"].get("type") == "NodePort"
    }

    assert ports == {
        "thoughts-service": 30800,
        "users-service": 30801,
        "frontend-service": 30802,
    }


def test_local_addresses_lead_somewhere(local: tuple[Manifest, ...]) -> None:
    """The addresses of databases and backends in the settings are those of Services."""
    ports = {
        s["metadata"]["name"]: s["spec"]["ports"][0]["port"] for s in of_kind(local, "Service")
    }
    backends = environment(dict(all_containers(local))["frontend"])
    addresses = [
        *(b64decode(named(local, "Secret", name)["data"]["url"]).decode() for name in DATABASES),
        *(backends[f"{name}_BACKEND_URL"] for name in ("THOUGHTS", "USERS")),
    ]

    for address in addresses:
        parts = urlsplit(address)
        assert ports[parts.hostname] == (parts.port or 80)


def test_local_runs_in_order(local: tuple[Manifest, ...]) -> None:
    """Demonstration data are loaded after the migration, and the admin is created after them."""
    order = {
        name: [_commands(container) for container in pod["spec"].get("initContainers", [])]
        for name, pod in pods(local)
        if name in SERVICES
    }

    assert order == {
        "thoughts-backend": [["migrate", "load-demo"]],
        "users-backend": [["migrate", "load-demo", "create-admin"]],
        "frontend": [],
    }


def _commands(container: dict[str, Any]) -> list[str]:
    """The commands that a container runs, without their options."""
    return [command.split()[0] for command in " ".join(container["args"]).split(" then ")]


@pytest.mark.parametrize(("overlay", "are_set"), [("local", True), ("production", False)])
def test_only_pods_serve_until_they_have_drained(
    manifests: Manifests, overlay: str, are_set: bool
) -> None:
    """Where a service has one pod, Traefik passes requests to it also while it is leaving."""
    services = [
        o["metadata"].get("annotations", {})
        for o in of_kind(manifests.render(overlay), "Service")
        if o["metadata"]["name"].endswith("-service")
    ]

    assert len(services) == len(SERVICES)
    name = "traefik.ingress.kubernetes.io/service.nativelb"
    assert all((annotations.get(name) == "true") == are_set for annotations in services)


def test_production_has_no_demonstration_data(production: tuple[Manifest, ...]) -> None:
    """No users with well-known passwords, and no admin except one created by hand."""
    arguments = {argument for _, c in all_containers(production) for argument in c.get("args", [])}

    assert arguments == {"migrate", "--wait"}
    assert not [o for o in production if "demo" in o["metadata"]["name"]]


@pytest.mark.parametrize("overlay", ["production", "release"])
def test_only_development_has_fault_switches(manifests: Manifests, overlay: str) -> None:
    """Nobody can make a service slow or fail on purpose where others depend on it."""
    local, other = (
        {name for _, c in all_containers(manifests.render(o)) for name in environment(c)}
        for o in ("local", overlay)
    )

    assert "FAULT_SWITCHES" in local
    assert "FAULT_SWITCHES" not in other


def test_production_brings_no_database(production: tuple[Manifest, ...]) -> None:
    """The databases are external: no data are lost with a pod."""
    kinds = {manifest["kind"] for manifest in production}

    assert kinds.isdisjoint({"StatefulSet", "PersistentVolumeClaim", "CronJob"})


def test_production_is_reached_by_its_ingresses_alone(production: tuple[Manifest, ...]) -> None:
    """No Service has a node port or a load balancer."""
    types = {s["spec"].get("type", "ClusterIP") for s in of_kind(production, "Service")}

    assert types == {"ClusterIP"}


def test_production_leads_every_page_in(production: tuple[Manifest, ...]) -> None:
    """The Frontend's paths, with and without final slash, and its static files are public."""
    ingress = named(production, "Ingress", INGRESSES["frontend"])
    addresses = [route.replace("<int:thought_id>", "17") for route, _, _ in PAGES]

    for address in addresses:
        assert leads_in(ingress, f"/{address}")
        assert leads_in(ingress, f"/{address}/".replace("//", "/"))
    assert leads_in(ingress, static_address("site.css"))


def test_production_leads_the_apis_in(production: tuple[Manifest, ...]) -> None:
    """The paths of the APIs and the public keys are public."""
    assert leads_in(named(production, "Ingress", INGRESSES["thoughts"]), "/api/thoughts/17/")
    assert leads_in(named(production, "Ingress", INGRESSES["users"]), "/api/login/")
    assert leads_in(named(production, "Ingress", INGRESSES["users"]), "/.well-known/jwks.json")


def test_production_keeps_inside_what_is_internal(production: tuple[Manifest, ...]) -> None:
    """Metrics, health, schema and the APIs' administration cannot be reached from outside."""
    for ingress in of_kind(production, "Ingress"):
        assert not [path for path in INTERNAL_PATHS if leads_in(ingress, path)]
    for api in ("thoughts", "users"):
        assert not leads_in(named(production, "Ingress", INGRESSES[api]), "/admin/users")


def test_production_hosts_have_certificates(production: tuple[Manifest, ...]) -> None:
    """TLS covers every host of an Ingress, with a certificate managed by cert-manager."""
    for ingress in of_kind(production, "Ingress"):
        hosts = [rule["host"] for rule in ingress["spec"]["rules"]]
        assert [host for tls in ingress["spec"]["tls"] for host in tls["hosts"]] == hosts
        assert "cert-manager.io/cluster-issuer" in ingress["metadata"]["annotations"]


def test_production_frontend_knows_where_it_is(production: tuple[Manifest, ...]) -> None:
    """It answers only to its Ingress's host, and sets its cookies for https."""
    (container,) = named(production, "Deployment", "frontend")["spec"]["template"]["spec"][
        "containers"
    ]
    rules = named(production, "Ingress", INGRESSES["frontend"])["spec"]["rules"]

    assert environment(container)["ALLOWED_HOSTS"] == rules[0]["host"]
    assert environment(container)["BEHIND_TLS"] == "true"


def test_production_backends_know_that_clients_use_https(
    production: tuple[Manifest, ...],
) -> None:
    """Their responses, too, tell browsers to use only https."""
    for name in ("thoughts-backend", "users-backend"):
        (container,) = named(production, "Deployment", name)["spec"]["template"]["spec"][
            "containers"
        ]
        assert environment(container)["BEHIND_TLS"] == "true"


def test_production_limits_what_a_client_asks(production: tuple[Manifest, ...]) -> None:
    """Each Ingress has limits of rate, of requests at once and of size, which all exist."""
    middlewares = {
        f"{o['metadata']['namespace']}-{o['metadata']['name']}@kubernetescrd": o["spec"]
        for o in of_kind(production, "Middleware")
    }
    kinds = {kind for spec in middlewares.values() for kind in spec}

    assert kinds == {"rateLimit", "inFlightReq", "buffering"}
    for ingress in of_kind(production, "Ingress"):
        annotation = "traefik.ingress.kubernetes.io/router.middlewares"
        named_here = ingress["metadata"]["annotations"][annotation].split(",")
        assert set(named_here) == set(middlewares)


def test_production_has_two_pods_of_each_at_least(production: tuple[Manifest, ...]) -> None:
    """The autoscaler keeps at least two, and draining a node evicts one at a time."""
    scaled = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["minReplicas"]
        for scaler in of_kind(production, "HorizontalPodAutoscaler")
    }
    budgets = {
        budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]: budget["spec"][
            "maxUnavailable"
        ]
        for budget in of_kind(production, "PodDisruptionBudget")
    }

    assert scaled == dict.fromkeys(SERVICES, 2)
    assert budgets == dict.fromkeys(SERVICES, 1)


@pytest.mark.parametrize("variant", ["production", "production+cloudnative-pg"])
def test_production_verifies_its_databases(manifests: Manifests, variant: str) -> None:
    """Whatever connects to a database verifies it, unless the address says something else."""
    objects = manifests.render(variant)
    connecting = [
        environment(container)
        for name, container in all_containers(objects)
        if name in ("thoughts-backend", "users-backend")
    ]

    assert len(connecting) == 4
    assert all(variables["PGSSLMODE"] == "verify-full" for variables in connecting)
    assert all("PGSSLROOTCERT" in variables for variables in connecting)


def test_production_leaves_connections_to_spare(production: tuple[Manifest, ...]) -> None:
    """The autoscaler's maximum of pods, plus one, fits into 97 connections."""
    for name in ("thoughts-backend", "users-backend"):
        pods_at_most = named(production, "HorizontalPodAutoscaler", name)["spec"]["maxReplicas"]
        # Ten in the pool, and one for the readiness check.
        assert (pods_at_most + 1) * 11 < 97


def test_gateway_api_takes_the_place_of_the_ingresses(manifests: Manifests) -> None:
    """The routes have the hosts and paths of the Ingresses, which are removed."""
    kinds = {"Exact": "Exact", "PathPrefix": "Prefix"}
    objects = manifests.render("production+gateway-api")
    listeners = {
        listener["name"]: listener.get("hostname")
        for listener in named(objects, "Gateway", "mythoughts")["spec"]["listeners"]
    }

    assert not of_kind(objects, "Ingress")
    for name, ingress_name in INGRESSES.items():
        ingress = named(manifests.render("production"), "Ingress", ingress_name)
        host = ingress["spec"]["rules"][0]["host"]
        route = named(objects, "HTTPRoute", name)["spec"]
        paths = [match["path"] for rule in route["rules"] for match in rule["matches"]]
        assert {(kinds[path["type"]], path["value"]) for path in paths} == paths_of(ingress)
        assert route["hostnames"] == [host] == [listeners[name]]


def test_monitoring_finds_the_services(manifests: Manifests) -> None:
    """The ServiceMonitor selects each Service and port, and names the job after the Deployment."""
    objects = manifests.render("production+monitoring")
    spec = named(objects, "ServiceMonitor", "mythoughts")["spec"]
    (expression,) = spec["selector"]["matchExpressions"]

    labels = [s["metadata"]["labels"][expression["key"]] for s in of_kind(objects, "Service")]

    assert spec["jobLabel"] == expression["key"]
    assert sorted(labels) == sorted(expression["values"]) == sorted(SERVICES)


def test_registration_opens_the_page_and_the_api(manifests: Manifests) -> None:
    """With the component, the Frontend and the Users Backend both let everybody register."""
    objects = manifests.render("production+registration")

    opened = {
        deployment["metadata"]["name"]
        for deployment in of_kind(objects, "Deployment")
        for container in deployment["spec"]["template"]["spec"]["containers"]
        if environment(container).get("REGISTRATION") == "open"
    }
    assert opened == {"frontend", "users-backend"}


def test_production_watches_a_new_pod_before_it_goes_on(production: tuple[Manifest, ...]) -> None:
    """A version that crashes soon after it was ready stops the rollout; old pods keep serving."""
    for name in SERVICES:
        assert named(production, "Deployment", name)["spec"]["minReadySeconds"] >= 5
