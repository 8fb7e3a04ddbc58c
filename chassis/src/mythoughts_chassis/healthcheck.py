"""`python -m mythoughts_chassis.healthcheck`: whether the service in this container is ready.

It is the images' HEALTHCHECK, which has neither curl nor a shell, and asks the port that the
service listens on. It needs the standard library alone, so that it is quick.
"""

import http.client
import os
import sys

TIMEOUT_SECONDS = 2


def main() -> int:
    """Return the exit status: 0 when `/readyz` answers 200, otherwise 1."""
    port = int(os.environ.get("PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"not ready: {error}\n")
        return 1
    finally:
        connection.close()
    if status != http.HTTPStatus.OK:
        sys.stderr.write(f"not ready: /readyz answered {status}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
