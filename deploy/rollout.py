"""Waiting until everything in a namespace is ready, and reporting what is not ready and why."""

import sys
import time
from collections.abc import Mapping

from deploy.kubectl import Json, Kubectl
from deploy.reasons import is_ready, reason_of
from tooling.console import say, say_step
from tooling.failures import Failure
from tooling.settings import number

DEFAULT_SECONDS = 300
_REPORT_SECONDS = 10
_PAUSE_SECONDS = 0.2


def wait_seconds(environment: Mapping[str, str]) -> int:
    """The time limit for a rollout: WAIT_SECONDS."""
    what = "a number of seconds"
    return number(environment, "WAIT_SECONDS", DEFAULT_SECONDS, of=range(sys.maxsize), what=what)


def wait_until_ready(
    kubectl: Kubectl, namespace: str, *, seconds: int, only: str | None = None
) -> None:
    """Wait until the Deployments and StatefulSets, or `only` the one of this name, are ready.

    Reports each one when it is ready, and every ten seconds new reasons why others are not.
    Raises Failure with the reasons after `seconds`.
    """
    started = time.monotonic()
    next_report = started + _REPORT_SECONDS
    reported: set[str] = set()
    ready: set[str] = set()
    while True:
        workloads, pods = _look(kubectl, namespace, only)
        for name, workload in workloads.items():
            if is_ready(workload) and name not in ready:
                ready.add(name)
                say_step(f"{name} is ready", seconds=time.monotonic() - started)
        waiting = {name: load for name, load in workloads.items() if name not in ready}
        if workloads and not waiting:
            return
        now = time.monotonic()
        if now >= min(next_report, started + seconds):
            reasons = {name: reason_of(load, pods, kubectl) for name, load in waiting.items()}
            if now >= started + seconds:
                raise Failure(_not_ready(reasons, namespace, seconds))
            _report(reasons, reported)
            next_report = now + _REPORT_SECONDS
        time.sleep(_PAUSE_SECONDS)


def _look(kubectl: Kubectl, namespace: str, only: str | None) -> tuple[dict[str, Json], list[Json]]:
    """The workloads by name, and the pods."""
    objects = kubectl.get("deployments,statefulsets,pods", namespace=namespace)
    workloads = {
        thing["metadata"]["name"]: thing
        for thing in objects
        if thing["kind"] != "Pod" and only in (None, thing["metadata"]["name"])
    }
    return workloads, [thing for thing in objects if thing["kind"] == "Pod"]


def _report(reasons: Mapping[str, str], reported: set[str]) -> None:
    for name, reason in reasons.items():
        line = f"  {name} is not ready: {reason}"
        # Two reasons may alternate, such as ErrImagePull and ImagePullBackOff.
        if line not in reported:
            reported.add(line)
            say(line)


def _not_ready(reasons: Mapping[str, str], namespace: str, seconds: int) -> str:
    if not reasons:
        return f"There is nothing in the namespace {namespace} to wait for."
    lines = [f"  {name}: {reason}" for name, reason in reasons.items()]
    return "\n".join([f"Not ready after {seconds} s:", *lines])
