"""`make test-cluster`: the tests of the whole system and of its pods, against a cluster.

The cluster is that of kubectl's current context, or of CONTEXT, with the overlay `local` deployed.
Users and thoughts created by the tests stay there.
"""

import os
import subprocess
import sys
from pathlib import Path

from deploy.addresses import Addresses, reachable
from deploy.kubectl import Kubectl, chosen_context
from deploy.overlays import LOCAL
from tooling.program import run_program

FOLDER = Path(__file__).parent


def main() -> int:
    """Run the tests with the cluster's addresses; return pytest's exit status."""
    context = chosen_context(os.environ)
    addresses = reachable(Kubectl(context), os.environ)
    if not addresses.services or not addresses.ingress:
        print(f"MyThoughts does not answer in the cluster {context}: make deploy", file=sys.stderr)
        return 1
    print(f"Testing the cluster {context}: {', '.join(addresses.services.values())}")
    tests = sys.argv[1:] or [*map(str, sorted(FOLDER.parent.glob("test_*.py"))), str(FOLDER)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "system and not unbalanced", *tests],
        env={**os.environ, **variables(context, addresses)},
        check=False,
    ).returncode


def variables(context: str, addresses: Addresses) -> dict[str, str]:
    """What the tests need to know about the cluster, as environment variables."""
    return {
        **{f"MYTHOUGHTS_{name.upper()}_URL": url for name, url in addresses.services.items()},
        "MYTHOUGHTS_INGRESS_URL": str(addresses.ingress),
        "MYTHOUGHTS_ADMIN_PASSWORD_FILE": str(LOCAL.secrets / "admin-password"),
        "MYTHOUGHTS_CONTEXT": context,
    }


if __name__ == "__main__":
    run_program(main)
