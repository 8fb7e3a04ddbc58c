"""Why a Deployment or StatefulSet is not ready, in one line, as the API server reports it."""

from collections.abc import Sequence
from contextlib import suppress

from deploy.kubectl import Json, Kubectl
from tooling.failures import Failure

# Reasons for which a container waits during a normal start.
_USUAL_WAITS = ("ContainerCreating", "PodInitializing")
_MAX_CHARACTERS = 400


def is_ready(workload: Json) -> bool:
    """Whether all pods are of the newest template and ready, and no old pods are left."""
    status, wanted = workload["status"], workload["spec"]["replicas"]
    if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return False
    if workload["kind"] == "StatefulSet":
        is_newest = status.get("updateRevision") == status.get("currentRevision")
        return is_newest and bool(status.get("readyReplicas", 0) == wanted)
    counts = [status.get(f"{kind}Replicas", 0) for kind in ("updated", "available")]
    return [*counts, status.get("replicas", 0)] == [wanted] * 3


def reason_of(workload: Json, pods: Sequence[Json], kubectl: Kubectl) -> str:
    """Why the workload is not ready: pod, container, its state, its last log line."""
    labels = workload["spec"]["selector"]["matchLabels"].items()
    unready = [
        pod
        for pod in pods
        if labels <= pod["metadata"].get("labels", {}).items()
        and "deletionTimestamp" not in pod["metadata"]
        and _condition(pod, "Ready").get("status") != "True"
    ]
    if unready:
        newest = max(unready, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        reason = _reason_of_pod(newest, kubectl)
    else:
        failure = _condition(workload, "ReplicaFailure").get("message")
        reason = failure or _last_warning(workload, kubectl) or "its pods are being replaced"
    return reason if len(reason) <= _MAX_CHARACTERS else reason[:_MAX_CHARACTERS] + "…"


def container_states(pod: Json) -> list[Json]:
    """The states of a pod's containers, in the order in which they start."""
    status = pod["status"]
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def obstacles(pod: Json) -> list[str]:
    """What keeps a pod's containers from starting, such as an image that is not there."""
    unscheduled = _condition(pod, "PodScheduled").get("message")
    waits = [
        f"container {container['name']}, {reason}"
        for container in container_states(pod)
        if (reason := _unusual_wait(container))
    ]
    return [*([unscheduled] if unscheduled else []), *waits]


def _reason_of_pod(pod: Json, kubectl: Kubectl) -> str:
    name = f"pod {pod['metadata']['name']}"
    for container in container_states(pod):
        if state := _unusual_state(container):
            line = _last_line(pod, container["name"], kubectl)
            return f"{name}, container {container['name']}, {state}" + (f": {line}" if line else "")
    unscheduled = _condition(pod, "PodScheduled").get("message")
    why = unscheduled or _last_warning(pod, kubectl) or "its containers are being started"
    return f"{name}: {why}"


def _unusual_state(container: Json) -> str:
    """Why this container keeps the pod from being ready; empty if it does not."""
    for kind, details in container["state"].items():
        if kind == "running" and not container["ready"]:
            return "is running but not ready"
        if kind == "terminated" and details["exitCode"]:
            return f"ended with exit status {details['exitCode']}"
    return _unusual_wait(container)


def _unusual_wait(container: Json) -> str:
    """Why this container cannot start; empty if it has, or if it is about to."""
    details = container["state"].get("waiting", {})
    reason = details.get("reason", _USUAL_WAITS[0])
    return "" if reason in _USUAL_WAITS else f"{reason} {details.get('message', '')}".strip()


def _last_line(pod: Json, container: str, kubectl: Kubectl) -> str:
    # A container that was never started has no log.
    with suppress(Failure):
        namespace = pod["metadata"]["namespace"]
        arguments = ("--container", container, "--namespace", namespace, "--tail=1")
        return kubectl.run("logs", pod["metadata"]["name"], *arguments).strip()
    return ""


def _last_warning(about: Json, kubectl: Kubectl) -> str:
    """The newest warning that the cluster has recorded about an object; empty if there is none."""
    metadata = about["metadata"]
    selector = f"type=Warning,involvedObject.name={metadata['name']}"
    events = kubectl.get("events", f"--field-selector={selector}", namespace=metadata["namespace"])
    newest = max(events, key=_time_of, default={})
    return str(newest.get("message", ""))


def _time_of(event: Json) -> str:
    # The scheduler's events have the second time, and null for the first.
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def _condition(thing: Json, kind: str) -> Json:
    """The status condition of this type; empty if there is none."""
    conditions: list[Json] = thing["status"].get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), {})
