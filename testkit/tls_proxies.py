"""TLS in front of servers that do not speak it themselves."""

import socket
import ssl
import struct
import threading
from contextlib import ExitStack, suppress

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class TlsProxy:
    """A proxy at `port` in front of the server at `server_port`, with the certificate of `tls`."""

    def __init__(self, server_port: int, tls: ssl.SSLContext) -> None:
        self._server_port = server_port
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.encrypted_connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Accept no further connection."""
        # Wakes the thread that accepts, which closing alone would not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _wants_tls(self, _: socket.socket) -> bool:
        """Whether the handshake follows on this connection."""
        return True

    def _serve(self, client: socket.socket) -> None:
        with ExitStack() as opened, suppress(OSError):
            opened.enter_context(client)
            if not self._wants_tls(client):
                return
            encrypted = opened.enter_context(self._tls.wrap_socket(client, server_side=True))
            self.encrypted_connections += 1
            server = opened.enter_context(
                socket.create_connection(("127.0.0.1", self._server_port))
            )
            threading.Thread(target=_pass_on, args=(server, encrypted), daemon=True).start()
            _pass_on(encrypted, server)


class TlsPostgres(TlsProxy):
    """A server of PostgreSQL that accepts nothing but TLS.

    Its `SSLRequest` is answered with `S`, the handshake follows, and then the messages pass between
    the two.
    """

    def _wants_tls(self, client: socket.socket) -> bool:
        if client.recv(8) != _SSL_REQUEST:
            return False
        client.sendall(b"S")
        return True


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
