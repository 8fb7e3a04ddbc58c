"""Backends that behave, and misbehave on demand: real HTTP servers on free ports."""

import base64
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from mythoughts_chassis import status_lists
from testkit.token_maker import TokenMaker


class Call(NamedTuple):
    """A request that a backend received."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def token(self) -> str | None:
        """The bearer token, or None."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else None


class Reply(NamedTuple):
    """A backend's response."""

    status: int
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012  # nobody writes into it


class Handler(BaseHTTPRequestHandler):
    """Reads a request and answers it with the backend's current fault, or properly."""

    protocol_version = "HTTP/1.1"
    backend: "FakeBackend"

    def handle_any(self) -> None:
        """Answer a request of any method."""
        call = self._read_call()
        if (reply := self.backend.answer_unseen(call)) is not None:
            self.reply(reply)
            return
        self.backend.calls.append(call)
        self.backend.called.set()
        fault = self.backend.fault
        if fault is None:
            self.reply(self.backend.answer(call))
        else:
            fault(self, call)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815  # named by http.server

    def reply(self, reply: Reply) -> None:
        """Send a complete, well-formed response."""
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_raw(self, raw: bytes) -> None:
        """Send these bytes unchanged, and close the connection."""
        self.wfile.write(raw)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""

    def _read_call(self) -> Call:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        return Call(
            self.command,
            parts.path,
            {name: values[0] for name, values in parse_qs(parts.query).items()},
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(body) if body else None,
        )


Fault = Callable[[Handler, Call], None]

# In a 429 because of a limit, but not because of a full queue.
LIMIT = {"RateLimit": '"passwords";r=0;t=40'}


class _Server(ThreadingHTTPServer):
    """Closes the open connections when it stops, as a killed process does."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any, tls: ssl.SSLContext | None) -> None:
        self.connections: set[socket.socket] = set()
        self._tls = tls
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        if self._tls is not None:
            # The handshake comes with the first read, in the connection's own thread.
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: the other side has disconnected, or the test has closed the connection."""


class FakeBackend:
    """A backend's controls: start, stop, kill connections, misbehave (`fault`), record `calls`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self.called = threading.Event()
        self.fault: Fault | None = None
        self.released = threading.Event()
        self._tls = tls
        self._port = 0
        self._server: _Server | None = None
        self.start()

    @property
    def url(self) -> str:
        """The base URL; it stays the same after a restart."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._port}"

    def answer(self, call: Call) -> Reply:
        """Answer as the real backend would."""
        raise NotImplementedError

    def answer_unseen(self, _: Call) -> Reply | None:
        """Answer what other services request regularly; None for everything else."""
        return None

    def start(self) -> None:
        """Listen, on the same port as the last time."""
        handler = type("BoundHandler", (Handler,), {"backend": self})
        self._server = _Server(("127.0.0.1", self._port), handler, tls=self._tls)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self.drop_connections()
            self._server = None

    def drop_connections(self) -> None:
        """Close every open connection, as a restart of the backend does."""
        assert self._server is not None
        for connection in tuple(self._server.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def stall(self) -> None:
        """Do not answer until `released` is set."""
        self.released.clear()
        self.fault = lambda handler, _: self._wait(handler)

    def _wait(self, handler: Handler) -> None:
        self.released.wait(30)
        handler.close_connection = True


class FakeThoughtsBackend(FakeBackend):
    """Keeps thoughts in memory and follows the contract of the Thoughts Backend.

    It does not check tokens, but refuses all of them unless it `accepts_tokens`.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.accepts_tokens = True
        self.thoughts: list[dict[str, Any]] = []
        self._stored_by_key: dict[str, dict[str, Any]] = {}
        super().__init__(tls)

    def add(self, username: str, text: str, timestamp: str = "1962-05-11T09:53:41Z") -> int:
        """Store a thought and return its id."""
        thought_id = len(self.thoughts) + 1
        thought = {"id": thought_id, "username": username, "text": text, "timestamp": timestamp}
        self.thoughts.append(thought)
        return thought_id

    def answer(self, call: Call) -> Reply:
        """Answer according to the path."""
        match call.method, call.path.strip("/").split("/"):
            case "GET", ["api", "thoughts"]:
                return list_page(call, self._found(call.query))
            case "GET", ["api", "thoughts", thought_id]:
                found = [t for t in self.thoughts if str(t["id"]) == thought_id]
                return Reply(200, found[0]) if found else Reply(404, {"detail": "nothing here"})
            case _, ["api", "me", *_]:
                if call.token and self.accepts_tokens:
                    return self._own(call, _username_in(call.token))
                return Reply(401, {})
        return Reply(404, {})

    def _own(self, call: Call, username: str) -> Reply:
        if call.method == "GET":
            return list_page(call, [t for t in self.thoughts if t["username"] == username])
        if call.method == "DELETE":
            thought_id = call.path.strip("/").split("/")[-1]
            is_all = thought_id == "thoughts"
            self.thoughts = [
                thought
                for thought in self.thoughts
                if not (is_all and thought["username"] == username)
                and str(thought["id"]) != thought_id
            ]
            return Reply(204)
        return self._store(call, username)

    def _store(self, call: Call, username: str) -> Reply:
        text = call.body["text"]
        if not text.strip() or len(text) > 250:
            return Reply(400, {"detail": "text: does not fit", "errors": []})
        key = call.headers["idempotency-key"]
        if key not in self._stored_by_key:
            self.add(username, text)
            self._stored_by_key[key] = self.thoughts[-1]
        elif self._stored_by_key[key] not in self.thoughts:
            return Reply(410, {"detail": "deleted"})
        return Reply(201, self._stored_by_key[key])

    def _found(self, query: dict[str, str]) -> list[dict[str, Any]]:
        words, username = query.get("search", "").lower(), query.get("username")
        return [
            thought
            for thought in self.thoughts
            if words in thought["text"].lower() and username in (None, thought["username"])
        ]


class FakeEndedSessions(FakeBackend):
    """Publishes which sessions have ended, as the Users Backend does, and nothing else.

    `status_list` makes the list. Requests for it are in `unseen`, not in `calls`, and no `fault`
    affects them.
    """

    def __init__(self, token_maker: TokenMaker) -> None:
        self._token_maker = token_maker
        self.ended: set[int] = set()
        self.unseen: list[Call] = []
        self.status_list: Callable[[], Reply] = self.signed_list
        super().__init__()

    def signed_list(self) -> Reply:
        """The list of the `ended` sessions, signed now."""
        return Reply(200, {"jwt": self._token_maker.status_list(self.ended)})

    def answer_unseen(self, call: Call) -> Reply | None:
        """Answer requests for the list."""
        if call.path != status_lists.PATH:
            return None
        self.unseen.append(call)
        return self.status_list()

    def answer(self, _: Call) -> Reply:
        """Answer 404: there is nothing else."""
        return Reply(404, {})


class FakeUsersBackend(FakeEndedSessions):
    """Follows the contract of the Users Backend; at first each user's password is their name."""

    def __init__(self, token_maker: TokenMaker) -> None:
        self.passwords: dict[str, str] = {}
        self.logged_out: set[str] = set()
        self.sessions: list[dict[str, Any]] = []
        self.deleted: set[str] = set()
        self.must_change: set[str] = set()
        self.expired: set[str] = set()
        self.registration_is_open = True
        super().__init__(token_maker)

    def answer(self, call: Call) -> Reply:
        """Answer according to the path."""
        match call.method, call.path.strip("/").split("/"):
            case "POST", ["api", "login"]:
                return self._log_in(call)
            case "POST", ["api", "users"]:
                return self._register(**call.body)
            case "POST", ["api", "logout"] if call.token and call.token not in self.logged_out:
                self.logged_out.add(call.token)
                return Reply(204)
            case _, ["api", "me", *rest] if call.token and call.token not in self.logged_out:
                return self._answer_user(call, _username_in(call.token), rest)
        return Reply(401, {})

    def add_session(self, user_agent: str, *, current: bool = False) -> int:
        """Add a session, which all users have, and return its id."""
        session_id = len(self.sessions) + 1
        times = {"creation": "1962-05-11T09:53:41Z", "expires": "1962-06-10T09:53:41Z"}
        session = {"id": session_id, "user_agent": user_agent, "current": current}
        self.sessions.append(session | times)
        return session_id

    def has_password(self, username: str, password: str) -> bool:
        """Whether it is the user's password."""
        exists = bool(username) and username not in self.deleted
        return exists and self.passwords.get(username, username) == password

    def _log_in(self, call: Call) -> Reply:
        username, password = call.body["username"], call.body["password"]
        if not self.has_password(username, password):
            return Reply(401, {"detail": "invalid"}, {"WWW-Authenticate": "Bearer"})
        if username in self.expired:
            detail = "This temporary password has expired. Ask an admin for another one."
            return Reply(409, {"detail": detail})
        if "new_password" in call.body:
            if refusal := _refusal_of("new_password", call.body["new_password"]):
                return refusal
            self.passwords[username] = call.body["new_password"]
        elif username in self.must_change:
            return Reply(403, {"detail": "Choose a new password: send it as new_password."})
        tokens = {
            "Authorized": f"Bearer {self._token_maker.token(username)}",
            "device_token": "device-of-" + re.sub("[^A-Za-z0-9]", "-", username),
        }
        return Reply(200, tokens)

    def _register(self, username: str, password: str) -> Reply:
        if not self.registration_is_open:
            return Reply(403, {"detail": "Registration is closed. Ask an admin for an account."})
        if refusal := _refusal_of("password", password):
            return refusal
        if username in self.passwords:
            return Reply(409, {"detail": "This name is taken."})
        self.passwords[username] = password
        return Reply(201, {"id": len(self.passwords), "username": username})

    def _delete(self, username: str, password: str, *, dry_run: bool) -> Reply:
        if not self.has_password(username, password):
            return Reply(403, {"detail": "wrong"})
        if not dry_run:
            self.deleted.add(username)
        return Reply(204)

    def _answer_user(self, call: Call, username: str, rest: list[str]) -> Reply:
        match call.method, rest:
            case "POST", ["token"]:
                return Reply(200, {"Authorized": f"Bearer {self._token_maker.token(username)}"})
            case "POST", ["password"]:
                return self._change_password(username, **call.body)
            case "DELETE", []:
                return self._delete(username, **call.body)
            case "GET", ["sessions"]:
                return list_page(call, self.sessions)
            case "DELETE", ["sessions", *ids]:
                is_kept = (lambda s: str(s["id"]) != ids[0]) if ids else (lambda s: s["current"])
                self.sessions = list(filter(is_kept, self.sessions))
                return Reply(204)
        return Reply(404, {})

    def _change_password(self, username: str, password: str, new_password: str) -> Reply:
        if refusal := _refusal_of("new_password", new_password):
            return refusal
        if not self.has_password(username, password):
            return Reply(403, {"detail": "wrong"})
        self.passwords[username] = new_password
        return Reply(204)


def list_page(call: Call, entries: list[dict[str, Any]]) -> Reply:
    """Return a page of `entries`, newest first, with its neighbours in `Link`."""
    newest_first = sorted(entries, key=lambda entry: -entry["id"])
    limit = int(call.query["limit"])
    if "min_id" in call.query:
        newer = [e for e in newest_first if e["id"] > int(call.query["min_id"])]
        page = newer[-limit:]
    else:
        max_id = int(call.query.get("max_id", 2**62))
        page = [e for e in newest_first if e["id"] < max_id][:limit]
    links = []
    if page and page[-1]["id"] != newest_first[-1]["id"]:
        links.append(f'<{call.path}?limit={limit}&max_id={page[-1]["id"]}>; rel="next"')
    if page:
        links.append(f'<{call.path}?limit={limit}&min_id={page[0]["id"]}>; rel="prev"')
    return Reply(200, page, {"Link": ", ".join(links)} if links else {})


def _refusal_of(field: str, password: str) -> Reply | None:
    if len(password) >= 8:
        return None
    detail = "must have at least 8 characters"
    return Reply(
        400, {"detail": f"{field}: {detail}", "errors": [{"field": field, "detail": detail}]}
    )


def _username_in(token: str) -> str:
    payload = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    return str(json.loads(payload)["username"])
