"""The system under test: where it is, and how API clients and users are made in it."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3

from local.stack import Stack

WAIT_SECONDS = 60

_connections = urllib3.PoolManager(maxsize=32, retries=False, timeout=WAIT_SECONDS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, decoded from JSON."""
        return json.loads(self.body)


class Client:
    """Sends requests to one service; threads may share it.

    All clients of a service share connections, which stay open. A machine that opened hundreds a
    second would soon use a port again whose last connection led to a pod that is gone: the nodes
    of a cluster remember it for two minutes.

    A client never tries twice and follows no redirect. A connection that breaks raises
    `urllib3.exceptions.HTTPError`.
    """

    def __init__(self, base_url: str, *, token: str = "", cookie: str = "", host: str = "") -> None:
        self._base_url = base_url
        authorization = f"Bearer {token}" if token else ""
        headers = {"Authorization": authorization, "Cookie": cookie, "Host": host}
        self._headers = {name: value for name, value in headers.items() if value}

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, with the client's token if it has one."""
        response = _connections.request(
            method,
            self._base_url + path,
            fields=query,
            json=json,
            headers={**self._headers, **(headers or {})},
            redirect=False,
        )
        return Answer(response.status, response.headers, response.data)

    def get(self, path: str, **options: Any) -> Answer:
        """Send a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        """Send a POST."""
        return self.request("POST", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """Send a DELETE."""
        return self.request("DELETE", path, **options)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can log in; `token` is good for both backends."""

    id: int
    username: str
    password: str
    token: str


@dataclass(frozen=True)
class System:
    """Where the three services are, and the password of the user `admin`.

    `hosts` says by which name a service is asked for, where that is not its address's.
    """

    frontend_url: str
    thoughts_url: str
    users_url: str
    admin_password: str
    hosts: Mapping[str, str] = field(default_factory=dict)

    def url_of(self, service: str) -> str:
        """Where `thoughts`, `users` or `frontend` is."""
        return {
            "thoughts": self.thoughts_url,
            "users": self.users_url,
            "frontend": self.frontend_url,
        }[service]

    def thoughts(self, user: User | None = None) -> Client:
        """A client of the Thoughts Backend, for `user` or nobody."""
        return self._client("thoughts", user)

    def users(self, user: User | None = None) -> Client:
        """A client of the Users Backend, for `user` or nobody."""
        return self._client("users", user)

    def _client(self, service: str, user: User | None) -> Client:
        token = user.token if user else ""
        return Client(self.url_of(service), token=token, host=self.hosts.get(service, ""))

    def frontend(self, user: User | None = None) -> Client:
        """A client of the Frontend that sends the cookie of `user`, or none."""
        return Client(
            self.frontend_url,
            cookie=f"mythoughts_session={user.token}" if user else "",
            host=self.hosts.get("frontend", ""),
        )

    @property
    def admin(self) -> User:
        """The admin, logged in anew: an earlier token may have ended with its key."""
        token = self.log_in("admin", self.admin_password)
        user_id = Client(self.users_url, token=token).get("/api/me/").json()["id"]
        return User(user_id, "admin", self.admin_password, token)

    def new_user(self, username: str = "") -> User:
        """Make a user as an admin does, with a name that nobody has yet, and log in."""
        name, password = username or unique("Ana"), unique("secret")
        body = {"username": name, "password": password}
        answer = self.users(self.admin).post("/admin/users/", json=body)
        assert answer.status == 201, answer.text
        return User(answer.json()["id"], name, password, self.log_in(name, password))

    def log_in(self, username: str, password: str) -> str:
        """The token that logging in gives."""
        body = {"username": username, "password": password}
        answer = self.users().post("/api/login/", json=body)
        assert answer.status == 200, answer.text
        return str(answer.json()["Authorized"]).removeprefix("Bearer ")


def system_of(stack: Stack) -> System:
    """The system that runs in `stack`."""
    return System(
        frontend_url=stack.urls["frontend"],
        thoughts_url=stack.urls["thoughts"],
        users_url=stack.urls["users"],
        admin_password=stack.admin_password,
    )


def unique(text: str) -> str:
    """`text` with something after it that was never there before."""
    return f"{text} {uuid.uuid4().hex[:12]}"
