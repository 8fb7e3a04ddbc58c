"""The network policies allow the arrows of the map, and nothing else."""

from itertools import product

from testkit.manifests import Manifest, Manifests
from testkit.network_policies import Peer, may_connect, peers_of

INGRESS = Peer("ingress", "traefik")
STRANGER = Peer("elsewhere", "stranger")
PROMETHEUS = Peer("monitoring", "prometheus")
COLLECTOR = Peer("observability", "collector")
DATABASES = ("thoughts-database", "users-database")
SERVICE_ARROWS = {
    ("traefik", "frontend"),
    ("traefik", "thoughts-backend"),
    ("traefik", "users-backend"),
    ("frontend", "thoughts-backend"),
    ("frontend", "users-backend"),
    ("thoughts-backend", "users-backend"),
}
DATABASE_ARROWS = {
    ("thoughts-backend", "thoughts-database"),
    ("users-backend", "users-database"),
}


def arrows(objects: tuple[Manifest, ...], *others: Peer) -> set[tuple[str, str]]:
    """Every allowed connection, between pods and with `others`, to a port that is in use."""
    own = list(peers_of(objects, "example").values())
    return {
        (source.name, target.name)
        for source, target in product([*own, *others], own)
        if source != target and may_connect(objects, source, target, _port(target))
    }


def _port(peer: Peer) -> int:
    return 5432 if peer.name in DATABASES else 8000


def test_production_has_the_arrows_of_the_map(production: tuple[Manifest, ...]) -> None:
    """The ingress controller reaches the services, and these the ones that they call."""
    assert arrows(production, INGRESS, STRANGER) == SERVICE_ARROWS


def test_local_has_the_arrows_of_the_map(local: tuple[Manifest, ...]) -> None:
    """The same; each backend also reaches its own database, and the backup reaches both."""
    backup = {("backup", database) for database in DATABASES}

    assert arrows(local, INGRESS) == SERVICE_ARROWS | DATABASE_ARROWS | backup


def test_node_ports_are_open_locally(local: tuple[Manifest, ...]) -> None:
    """Requests through a node port reach the services, but no database."""
    reached = {target for source, target in arrows(local, STRANGER) if source == "stranger"}

    assert reached == {"frontend", "thoughts-backend", "users-backend"}


def test_databases_outside_can_be_reached(production: tuple[Manifest, ...]) -> None:
    """In production the backends may reach a database anywhere, the Frontend may reach none."""
    asking = {
        name
        for name, pod in peers_of(production, "example").items()
        if may_connect(production, pod, STRANGER, 5432)
    }

    assert asking == {"thoughts-backend", "users-backend"}


def test_databases_of_an_operator_can_be_reached(manifests: Manifests) -> None:
    """With CloudNativePG the backends may reach only their own database's servers."""
    objects = manifests.render("production+cloudnative-pg")
    servers = {
        name: Peer("example", name, (("cnpg.io/cluster", name),)) for name in (*DATABASES, "other")
    }
    asking = {
        (pod.name, server.name)
        for pod in peers_of(objects, "example").values()
        for server in servers.values()
        if may_connect(objects, pod, server, 5432)
    }

    assert asking == DATABASE_ARROWS


def test_names_are_looked_up_by_everybody(rendered: tuple[Manifest, ...]) -> None:
    """Every pod may query the cluster's name server."""
    dns = Peer("kube-system", "coredns", (("k8s-app", "kube-dns"),))

    for pod in peers_of(rendered, "example").values():
        assert may_connect(rendered, pod, dns, 53)


def test_monitoring_lets_prometheus_in(manifests: Manifests) -> None:
    """Prometheus reaches the services' metrics, but only with this component."""
    with_it = arrows(manifests.render("production+monitoring"), INGRESS, PROMETHEUS)
    without = arrows(manifests.render("production"), INGRESS, PROMETHEUS)

    services = ("frontend", "thoughts-backend", "users-backend")
    assert with_it - without == {("prometheus", service) for service in services}


def test_tracing_lets_spans_out(manifests: Manifests) -> None:
    """The services reach the collector, and nothing else outside."""
    objects = manifests.render("production+tracing")

    for pod in peers_of(objects, "example").values():
        assert may_connect(objects, pod, COLLECTOR, 4318)
        assert not may_connect(objects, pod, STRANGER, 4318)
