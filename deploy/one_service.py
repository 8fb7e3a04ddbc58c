"""One service as a process of this machine, among the others in the cluster: `make dev CLUSTER=1`.

It gets the settings, keys and addresses that its pods have. Each Kubernetes Service that these
name is forwarded to a port of this machine.
"""

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from deploy.forwarding import HOST, Forwarding
from deploy.kubectl import Json, Kubectl
from tooling.console import say, step
from tooling.failures import Failure
from tooling.private_files import write_private
from tooling.project import ROOT, Service
from tooling.readiness import is_ready
from tooling.supervision import SupervisedService, private_folder
from tooling.working_tree import Change


def run_here(
    kubectl: Kubectl,
    service: Service,
    port: int,
    changes: Iterator[Change | None],
    more_settings: Mapping[str, str],
) -> None:
    """Run the service at `port` until Ctrl-C, and replace its process when its code changes.

    `more_settings` are additional settings of the supervisor and the service. Raises Failure if it
    is not deployed, or ends.
    """
    with private_folder() as folder, ExitStack() as forwarded:
        with step(f"Fetching the settings of {service.workload}"):
            settings = _settings(kubectl, service, folder)
        with step("Forwarding what it calls"):
            _forward_calls(kubectl, settings, folder, forwarded)
        supervised = SupervisedService(service, folder / "supervisor")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            **settings,
            "HOST": HOST,
            "PORT": str(port),
            "LOG_FORMAT": "console",
            "PYTHONPATH": f"{service.folder / 'src'}:{ROOT / 'chassis' / 'src'}",
            "PYTHONUNBUFFERED": "1",
            **more_settings,
        }
        with subprocess.Popen(
            supervised.command, env=environment, start_new_session=True
        ) as process:
            try:
                is_shown = False
                for change in changes:
                    if process.poll() is not None:
                        raise Failure(f"{service.workload} ended; its last lines are above.")
                    if change is not None:
                        supervised.apply(change)
                    is_shown = is_shown or _show_address(service, port)
            finally:
                process.terminate()
                process.wait()


def _show_address(service: Service, port: int) -> bool:
    """Show where the service answers; returns whether it does."""
    if answers := is_ready(f"http://{HOST}:{port}/healthz"):
        say(f"\n{service.title}: http://localhost:{port}{service.start_page}\n")
    return answers


def _settings(kubectl: Kubectl, service: Service, folder: Path) -> dict[str, str]:
    """The variables of the service's container; the files that they name are put into `folder`."""
    pod: Json = kubectl.deployment(service.workload)["spec"]["template"]["spec"]
    (container,) = [found for found in pod["containers"] if found["name"] == service.workload]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        for name, content in _files(kubectl, volumes[mount["name"]]).items():
            path = folder / mount["mountPath"].lstrip("/") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, content.strip())
    variables = {item["name"]: item.get("value", "") for item in container["env"]}
    return {
        name: f"{folder}{value}" if (folder / value.lstrip("/")).is_file() else value
        for name, value in variables.items()
        if value
    }


def _files(kubectl: Kubectl, volume: Json) -> dict[str, str]:
    """The files in a volume that comes from a Secret or a ConfigMap; otherwise none."""
    if "secret" in volume:
        (secret,) = kubectl.get(f"secret/{volume['secret']['secretName']}")
        return {name: base64.b64decode(text).decode() for name, text in secret["data"].items()}
    if "configMap" in volume:
        (settings,) = kubectl.get(f"configmap/{volume['configMap']['name']}")
        return dict(settings["data"])
    return {}


def _forward_calls(
    kubectl: Kubectl, settings: dict[str, str], folder: Path, forwarded: ExitStack
) -> None:
    """Replace the addresses of Services, in settings and in files, by forwarded ports."""
    files = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    texts = [*settings.values(), *files.values()]
    for found in kubectl.get("services"):
        name, port = found["metadata"]["name"], found["spec"]["ports"][0]["port"]
        address = re.compile(rf"(?<=[/@]){re.escape(name)}(:\d+)?(?=[/?\s]|$)")
        if any(address.search(text) for text in texts):
            here = forwarded.enter_context(Forwarding(kubectl, f"service/{name}", port))
            for key, value in settings.items():
                settings[key] = address.sub(here, value)
            for path in files:
                write_private(path, address.sub(here, path.read_text()).strip())
