"""`python -m mythoughts_chassis.healthcheck`: whether the service in this container is ready.

This is the HEALTHCHECK of the images, which contain no curl. It requests `/readyz` on the
service's port. It runs every few seconds, so it uses a plain socket, which is twice as fast as
the standard library's HTTP client.
"""

import os
import socket
import sys

TIMEOUT_SECONDS = 2
_REQUEST = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def main() -> int:
    """Return 0 if `/readyz` answers 200, otherwise 1, and write the reason to stderr."""
    address = ("127.0.0.1", int(os.environ.get("PORT", "8000")))
    try:
        with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
            connection.sendall(_REQUEST)
            status_line = connection.makefile("rb").readline()
    except OSError as error:
        sys.stderr.write(f"not ready: {error}\n")
        return 1
    if status_line.split()[1:2] != [b"200"]:
        sys.stderr.write(f"not ready: {status_line.decode(errors='replace').strip()}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
