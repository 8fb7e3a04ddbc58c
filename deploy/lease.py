"""A Lease in the cluster that records who is developing there: one `make cluster-dev` at a time."""

import getpass
import json
import os
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from deploy.kubectl import NAMESPACE, Json, Kubectl
from tooling.failures import Failure

NAME = "development"
# The limit of each call that Ctrl-C does not end: those in the thread, and the last ones. The first
# call has none, because kubectl may ask the user to log in.
LIMIT_SECONDS = 20
_DURATION_SECONDS = 60
_RENEWAL_SECONDS = 10


class Lease:
    """A lease that is held, and regularly renewed, while a `with` block runs.

    Entering raises Failure if another run holds it. It `is_lost` once it is deleted, or taken by
    another run because it was not renewed in time: this machine slept, for example.
    """

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._limited = kubectl.limited(LIMIT_SECONDS)
        self._holder = f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
        self.is_lost = False
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Lease":
        self._take()
        self._renewing.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._renewing.join()
        with suppress(Failure):
            self.renew()
            self._limited.run("delete", "lease", NAME, "--namespace", NAMESPACE)

    def renew(self) -> None:
        """Renew it; raises Failure if it is lost, or if the cluster cannot be reached."""
        found = self._limited.find(f"lease/{NAME}")
        if found is None or found["spec"]["holderIdentity"] != self._holder:
            self.is_lost = True
            raise Failure(
                "This run has lost its lease: `make undeploy` deleted it, or it was not renewed in "
                "time, and somebody else has developed in the cluster since. The cluster is left "
                "as it is."
            )
        holder = {"op": "test", "path": "/spec/holderIdentity", "value": self._holder}
        renewal = {"op": "replace", "path": "/spec/renewTime", "value": _timestamp()}
        self._limited.patch(f"lease/{NAME}", [holder, renewal])

    def _take(self) -> None:
        found = self._kubectl.find(f"lease/{NAME}")
        if found is not None:
            self._check_expired(found["spec"])
        # With the version that was read: of two runs that do this at once, one fails.
        version = {"resourceVersion": found["metadata"]["resourceVersion"]} if found else {}
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME, "namespace": NAMESPACE, **version},
            "spec": {
                "holderIdentity": self._holder,
                "leaseDurationSeconds": _DURATION_SECONDS,
                "renewTime": _timestamp(),
            },
        }
        verb = "replace" if found else "create"
        self._kubectl.run(verb, "--filename=-", text=json.dumps(lease))

    def _check_expired(self, spec: Json) -> None:
        renewed = datetime.fromisoformat(spec["renewTime"])
        ends = renewed + timedelta(seconds=spec["leaseDurationSeconds"])
        if ends > _now():
            seconds = (ends - _now()).total_seconds()
            raise Failure(
                f"{spec['holderIdentity']} is already running `make cluster-dev` in this cluster. "
                f"If that process was killed, its lease expires in {seconds:.0f} s."
            )

    def _keep(self) -> None:
        while not (self._over.wait(_RENEWAL_SECONDS) or self.is_lost):
            with suppress(Failure):
                self.renew()


def _now() -> datetime:
    return datetime.now(UTC)


def _timestamp() -> str:
    return _now().isoformat(timespec="microseconds")
