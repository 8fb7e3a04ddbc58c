"""What the only pod with a token, the ingress controller, may do at the API server."""

from testkit.manifest_objects import named, of_kind
from testkit.manifests import INGRESS_CONTROLLER, Manifest, Manifests

ACCOUNT = {"kind": "ServiceAccount", "name": "traefik", "namespace": "ingress"}


def granted(role: Manifest) -> set[tuple[str, str]]:
    """Each resource and verb that a role grants."""
    return {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_nothing_is_read_in_all_namespaces(manifests: Manifests) -> None:
    """In the whole cluster it reads nodes and classes alone: no Secret, no Service, no Ingress."""
    objects = manifests.render(INGRESS_CONTROLLER)

    reads = granted(named(objects, "ClusterRole", "mythoughts-traefik"))
    assert {resource for resource, _ in reads} == {"nodes", "ingressclasses"}
    assert {verb for _, verb in reads} == {"list", "watch"}
    assert not of_kind(objects, "Role")


def test_served_namespace_is_the_one_with_permissions(
    manifests: Manifests, local: tuple[Manifest, ...]
) -> None:
    """It serves the namespace whose Role is bound to its account, and no other."""
    (container,) = named(manifests.render(INGRESS_CONTROLLER), "Deployment", "traefik")["spec"][
        "template"
    ]["spec"]["containers"]
    role, binding = named(local, "Role", "traefik"), named(local, "RoleBinding", "traefik")

    assert binding["subjects"] == [ACCOUNT]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    namespace = role["metadata"]["namespace"]
    assert f"--providers.kubernetesingress.namespaces={namespace}" in container["args"]


def test_only_the_state_of_ingresses_is_written(local: tuple[Manifest, ...]) -> None:
    """It may change nothing but the addresses that an Ingress shows."""
    rights = granted(named(local, "Role", "traefik"))

    assert {right for right in rights if right[1] not in ("list", "watch")} == {
        ("ingresses/status", "update")
    }


def test_production_grants_nothing(production: tuple[Manifest, ...]) -> None:
    """Production has its own ingress controller, with its own permissions."""
    assert not of_kind(production, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")


def test_ingresses_show_the_address_of_the_node(manifests: Manifests) -> None:
    """`kubectl get ingress` has an address: the controller publishes that of its node."""
    (container,) = named(manifests.render(INGRESS_CONTROLLER), "Deployment", "traefik")["spec"][
        "template"
    ]["spec"]["containers"]
    source = {v["name"]: v["valueFrom"]["fieldRef"]["fieldPath"] for v in container["env"]}

    assert source == {"NODE_ADDRESS": "status.hostIP"}
    assert "--providers.kubernetesingress.ingressendpoint.ip=$(NODE_ADDRESS)" in container["args"]
