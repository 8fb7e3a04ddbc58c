"""The system under test: where it is, and how API clients and users are made in it."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from local.stack import Stack
from testkit.http_client import Answer, HttpClient, patiently

# The beginning of users' passwords, by which they are found wherever they leak to (`leaks`).
PASSWORD_MARK = "secret"

# The admin by the address of the Users Backend: the logins of an account are limited.
_admins: dict[str, "User"] = {}


@dataclass(frozen=True, slots=True)
class User:
    """A user who can log in; both backends accept `token`."""

    id: int
    username: str
    password: str
    token: str


@dataclass(frozen=True)
class System:
    """Where the three services are, and the password of the user `admin`.

    `hosts` has the name of each service that is not requested by the name in its address.
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

    def thoughts(self, user: User | None = None) -> HttpClient:
        """A client of the Thoughts Backend, logged in as `user` or not at all."""
        return self.client("thoughts", user)

    def users(self, user: User | None = None) -> HttpClient:
        """A client of the Users Backend, logged in as `user` or not at all."""
        return self.client("users", user)

    def frontend(self, user: User | None = None) -> HttpClient:
        """A client of the Frontend, logged in as `user` or not at all."""
        return self.client("frontend", user)

    def client(self, service: str, user: User | None = None) -> HttpClient:
        """A client of the service that sends the token of `user`; it keeps its connections.

        A machine that opened hundreds a second would soon use a port again whose last connection
        led to a pod that is gone: the nodes of a cluster remember it for two minutes.
        """
        headers = {"Host": self.hosts[service]} if service in self.hosts else {}
        if user and service == "frontend":
            headers["Cookie"] = f"mythoughts_session={user.token}"
        elif user:
            headers["Authorization"] = f"Bearer {user.token}"
        return HttpClient(self.url_of(service), headers=headers, keeps_connections=True)

    @property
    def admin(self) -> User:
        """The admin, logged in again if the earlier token has ended, for example with its key.

        The temporary password is changed at the first login, always to the same one, because
        several processes may test one system, and one system may be tested several times.
        """
        known = _admins.get(self.users_url)
        if known and self.users(known).get("/admin/users/?limit=1").status == 200:
            return known
        password = f"{self.admin_password}, changed"
        first_login = {"password": self.admin_password, "new_password": password}
        for login in ({"password": password}, first_login, {"password": password}):
            answer = self._try_log_in({"username": "admin", **login})
            if answer.status == 200:
                break
        token = _token(answer)
        user_id = self.users().get("/api/me/", token=token).json()["id"]
        _admins[self.users_url] = User(user_id, "admin", password, token)
        return _admins[self.users_url]

    def new_user(self, username: str = "") -> User:
        """Create a user as an admin does, by default with an unused name, and log in."""
        name, temporary, password = (
            username or unique("Ana"),
            unique("temporary"),
            unique(PASSWORD_MARK),
        )
        body = {"username": name, "password": temporary}
        answer = patiently(self.users(self.admin).post, "/admin/users/", json=body)
        assert answer.status == 201, answer.text
        token = self.log_in(name, temporary, new_password=password)
        return User(answer.json()["id"], name, password, token)

    def log_in(self, username: str, password: str, **more: str) -> str:
        """Log in; return the token."""
        return _token(self._try_log_in({"username": username, "password": password, **more}))

    def _try_log_in(self, body: Mapping[str, str]) -> Answer:
        """Log in, waiting whenever the service says so; return the response."""
        login = partial(patiently, self.users().post, "/api/login/", json=body)
        while (answer := login()).status == 429:
            time.sleep(int(answer.headers["Retry-After"]))
        return answer


def _token(login: Answer) -> str:
    assert login.status == 200, login.text
    return str(login.json()["Authorized"]).removeprefix("Bearer ")


def system_of(stack: Stack) -> System:
    """The system that runs in `stack`."""
    return System(
        frontend_url=stack.urls["frontend"],
        thoughts_url=stack.urls["thoughts"],
        users_url=stack.urls["users"],
        admin_password=stack.admin_password,
    )


def unique(text: str) -> str:
    """`text` with a unique ending."""
    return f"{text} {uuid.uuid4().hex[:12]}"
