"""TCP ports of this machine: finding a free one, and who holds one that is not."""

import random
import socket

# Below what Linux and macOS give to outgoing connections, so that none of those takes the port
# between the moment it is found free and the moment a server listens on it.
_CANDIDATES = range(15_000, 32_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # As servers do, so that connections of the last run that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on, chosen at random, so that parallel test runs rarely meet."""
    chooser = random.SystemRandom()
    while True:
        port = chooser.choice(_CANDIDATES)
        if is_free(port):
            return port
