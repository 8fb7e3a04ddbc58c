"""`python -m mythoughts_chassis.healthcheck`: whether the service in this container is ready.

This is the HEALTHCHECK of the images, which contain no curl. It requests `/readyz` on the
service's port.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_SECONDS = 2


def main() -> int:
    """Return 0 if `/readyz` answers 200, otherwise 1, and write the reason to stderr."""
    port = int(os.environ.get("PORT", "8000"))
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
    except (OSError, HTTPException) as error:
        sys.stderr.write(f"not ready: {error}\n")
        return 1
    finally:
        connection.close()
    if answer.status != 200:
        sys.stderr.write(f"not ready: HTTP {answer.status} {answer.reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
