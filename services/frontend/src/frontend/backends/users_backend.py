"""The Users Backend as the pages see it; calls raise only the errors in `errors.py`."""

import re
import time
from typing import Annotated

import msgspec

from frontend.backends.backend_api import BackendApi, Caller, Moment
from frontend.backends.cursors import Cursor, EntryPage
from frontend.backends.errors import BackendAway, BackendError
from frontend.backends.http_client import HttpClient
from frontend.backends.places import Places
from mythoughts_chassis.settings import Secret

RENEWAL_PAUSE_SECONDS = 60.0
_NOT_PRINTABLE = re.compile(r"[^ -~]")


class Session(msgspec.Struct, frozen=True):
    """A login that has not ended; `current` marks the caller's own."""

    id: int
    creation: Moment
    expires: Moment
    user_agent: str
    current: bool


class ManagedUser(msgspec.Struct, frozen=True):
    """A user, as admins see users."""

    id: int
    username: str
    creation: Moment
    is_admin: bool
    is_disabled: bool


class LoggedIn(msgspec.Struct, frozen=True):
    """The tokens of a login: the session's and the browser's, which may be empty."""

    authorized: Annotated[str, msgspec.Meta(pattern="^Bearer .")] = msgspec.field(name="Authorized")
    # Its characters are those that a cookie may have.
    device_token: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{0,100}$")] = ""

    @property
    def token(self) -> str:
        """The token of the session."""
        return self.authorized.removeprefix("Bearer ")


class UsersBackend(BackendApi):
    """The Users Backend. Every method may raise any `BackendError`."""

    def __init__(self, client: HttpClient, *, logins: Places, passwords: Places) -> None:
        super().__init__(client)
        self._renew_again_at = 0.0
        self._logins = logins
        self._passwords = passwords

    def log_in(
        self, caller: Caller, *, username: str, password: Secret, new_password: Secret | None = None
    ) -> LoggedIn | None:
        """Return the tokens, or None if the name or password is wrong.

        Raises `Forbidden` if a new password is required, `BackendRefused` for a bad one, and
        `Conflict` if a temporary password has expired.
        """
        body = {"username": username, "password": password.reveal()}
        if new_password is not None:
            body["new_password"] = new_password.reveal()
        headers = {"User-Agent": _printable(caller.client.user_agent)}
        if caller.device_token:
            headers["X-Device-Token"] = caller.device_token
        with self._logins.place(caller.client.network):
            response = self.call(caller, "POST", "/api/login/", body, headers)
        # 400: the name or password is malformed, for example empty.
        if response.status == 401 or (response.status == 400 and new_password is None):
            return None
        return self.decoded(response, LoggedIn)

    def log_out(self, caller: Caller) -> None:
        """End the caller's session; no error if it has ended already."""
        self._change(caller, "POST", "/api/logout/", None, 401)

    def renewed_token(self, caller: Caller) -> str | None:
        """Return a new token of the caller's session, or None if there is none now; never raises.

        After a failure it makes no call for a while: pages must not wait for something optional.
        """
        if time.monotonic() < self._renew_again_at:
            return None
        try:
            response = self.call(caller, "POST", "/api/me/token/")
            return self.decoded(response, LoggedIn).token
        except BackendAway:
            self._renew_again_at = time.monotonic() + RENEWAL_PAUSE_SECONDS
        except BackendError:
            # The session has ended. The next call that needs it will fail.
            pass
        return None

    def register(self, caller: Caller, *, username: str, password: Secret) -> None:
        """Create a user; raises `Forbidden` if registration is closed."""
        body = {"username": username, "password": password.reveal()}
        with self._logins.place(caller.client.network):
            response = self.call(caller, "POST", "/api/users/", body)
        self.check_status(response, 201)

    def change_password(self, caller: Caller, *, password: Secret, new_password: Secret) -> None:
        """Change the password, and end all other sessions.

        Raises `Forbidden` if `password` is not the current one.
        """
        body = {"password": password.reveal(), "new_password": new_password.reveal()}
        with self._passwords.place(caller.client.network):
            self._change(caller, "POST", "/api/me/password/", body)

    def delete_account(self, caller: Caller, *, password: Secret, dry_run: bool) -> None:
        """Delete the caller, or only check whether that is possible.

        Raises `Forbidden` if `password` is not the current one, `Conflict` for the last admin.
        """
        body = {"password": password.reveal(), "dry_run": dry_run}
        with self._passwords.place(caller.client.network):
            self._change(caller, "DELETE", "/api/me/", body)

    def sessions(self, caller: Caller, cursor: Cursor | None) -> EntryPage[Session]:
        """Return a page of the caller's sessions."""
        return self.get_list(caller, "/api/me/sessions/", Session, cursor)

    def end_session(self, caller: Caller, session_id: int) -> None:
        """End one of the caller's sessions; no error if it has ended already."""
        self._change(caller, "DELETE", f"/api/me/sessions/{session_id}/", None, 404)

    def end_other_sessions(self, caller: Caller) -> None:
        """End all of the caller's sessions except the current one."""
        self._change(caller, "DELETE", "/api/me/sessions/")

    def list_users(
        self, caller: Caller, search: str, cursor: Cursor | None
    ) -> EntryPage[ManagedUser]:
        """Return a page of the users whose names contain `search`, newest first."""
        return self.get_list(caller, "/admin/users/", ManagedUser, cursor, search=search)

    def find_user(self, caller: Caller, user_id: int) -> ManagedUser | None:
        """Return the user with this id, or None if there is none."""
        response = self.call(caller, "GET", f"/admin/users/{user_id}/")
        return None if response.status == 404 else self.decoded(response, ManagedUser)

    def create_user(self, caller: Caller, username: str, password: Secret) -> ManagedUser:
        """Create a user, who must change this password at the first login."""
        body = {"username": username, "password": password.reveal()}
        response = self.call(caller, "POST", "/admin/users/", body)
        return self.decoded(response, ManagedUser, status=201)

    def change_user(self, caller: Caller, user_id: int, **changes: object) -> None:
        """Change `is_admin`, `is_disabled` or `password`, which ends the user's sessions."""
        response = self.call(caller, "PATCH", f"/admin/users/{user_id}/", changes)
        self.check_status(response, 200)

    def end_sessions_of(self, caller: Caller, user_id: int) -> None:
        """End all sessions of a user."""
        self._change(caller, "DELETE", f"/admin/users/{user_id}/sessions/")

    def delete_user(self, caller: Caller, user_id: int) -> None:
        """Delete a user, but not their thoughts; no error if the user is already gone."""
        self._change(caller, "DELETE", f"/admin/users/{user_id}/")

    def _change(
        self, caller: Caller, method: str, target: str, body: object = None, *allowed: int
    ) -> None:
        self.check_status(self.call(caller, method, target, body), 204, *allowed)


def _printable(text: str) -> str:
    return _NOT_PRINTABLE.sub("?", text)
