"""`python -m mythoughts_chassis.healthcheck`: whether the service in this container is ready.

It is the images' HEALTHCHECK: there is no curl in them. It asks `/readyz` on the port that the
service listens on. A socket alone makes it twice as quick as the standard library's HTTP client,
which counts for what is run every few seconds.
"""

import os
import socket
import sys

TIMEOUT_SECONDS = 2
_REQUEST = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def main() -> int:
    """Return the exit status: 0 when `/readyz` answers 200, otherwise 1, and say why."""
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
