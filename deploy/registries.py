"""The registry of a cluster for development, as the cluster announces it.

kind's and k3d's ways to set one up leave a ConfigMap `local-registry-hosting` in `kube-public`
(KEP-1755), whose `localRegistryHosting.v1` is YAML:

    host: "localhost:5001"
    hostFromContainerRuntime: "registry:5000"
"""

import re
from dataclasses import dataclass

from deploy.kubectl import Kubectl

_HOSTS = re.compile(r"""^(host|hostFromContainerRuntime): *["']?([^"'\s]+)""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry, as this machine names it, and as the cluster's nodes do if differently."""

    host: str
    host_in_cluster: str = ""

    def name_in_cluster(self, image: str) -> str:
        """The name by which nodes pull an image that was pushed from here."""
        return image.replace(self.host, self.host_in_cluster or self.host, 1)


def announced_registry(kubectl: Kubectl) -> Registry | None:
    """The registry that the cluster announces, or None."""
    text = kubectl.run(
        "get",
        "configmap/local-registry-hosting",
        "--namespace=kube-public",
        "--ignore-not-found",
        "--output=jsonpath={.data.localRegistryHosting\\.v1}",
    )
    hosts = dict(_HOSTS.findall(text))
    if "host" not in hosts:
        return None
    return Registry(hosts["host"], hosts.get("hostFromContainerRuntime", ""))
