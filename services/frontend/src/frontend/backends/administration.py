"""What only admins may ask of both backends; calls raise only the errors in `errors.py`."""

from datetime import datetime
from typing import Annotated

import msgspec

from frontend.backends.api import BackendApi, Caller
from frontend.backends.cursors import Cursor, EntryPage
from frontend.backends.errors import BackendName
from frontend.backends.http_client import HttpClient
from mythoughts_chassis.settings import Secret

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ManagedUser(msgspec.Struct, frozen=True):
    """A user, as admins see users."""

    id: int
    username: str
    creation: Moment
    is_admin: bool
    is_disabled: bool


class AuditEntry(msgspec.Struct, frozen=True):
    """An entry of a backend's audit log; `subject` is empty for what somebody did to themselves."""

    id: int
    timestamp: Moment
    event: str
    actor: str
    subject: str
    address: str


class Administration:
    """The administration of users, thoughts and audit logs. Methods may raise `BackendError`."""

    def __init__(self, users: HttpClient, thoughts: HttpClient) -> None:
        self._users = BackendApi(users)
        self._thoughts = BackendApi(thoughts)

    def users(self, caller: Caller, search: str, cursor: Cursor | None) -> EntryPage[ManagedUser]:
        """Return a page of the users whose names contain `search`, newest first."""
        return self._users.get_list(caller, "/admin/users/", ManagedUser, cursor, search=search)

    def find_user(self, caller: Caller, user_id: int) -> ManagedUser | None:
        """Return the user with this id, or None: the newest of those that are not newer."""
        target = f"/admin/users/?max_id={user_id + 1}&limit=1"
        found = self._users.get(caller, target, list[ManagedUser])
        return found[0] if found and found[0].id == user_id else None

    def create_user(self, caller: Caller, username: str, password: Secret) -> ManagedUser:
        """Create a user, who must change this password at the first login."""
        body = {"username": username, "password": password.reveal()}
        answer = self._users.call(caller, "POST", "/admin/users/", body)
        return self._users.decoded(answer, ManagedUser, status=201)

    def change_user(self, caller: Caller, user_id: int, **changes: object) -> None:
        """Change `is_admin`, `is_disabled` or `password`, which ends the user's sessions."""
        answer = self._users.call(caller, "PATCH", f"/admin/users/{user_id}/", changes)
        self._users.check_status(answer, 200)

    def end_sessions(self, caller: Caller, user_id: int) -> None:
        """End all sessions of a user."""
        answer = self._users.call(caller, "DELETE", f"/admin/users/{user_id}/sessions/")
        self._users.check_status(answer, 204)

    def delete_user(self, caller: Caller, user_id: int) -> None:
        """Delete a user, but not the user's thoughts; no error if it is already gone."""
        answer = self._users.call(caller, "DELETE", f"/admin/users/{user_id}/")
        self._users.check_status(answer, 204)

    def delete_thought(self, caller: Caller, thought_id: int) -> None:
        """Delete anybody's thought; no error if it is already gone."""
        answer = self._thoughts.call(caller, "DELETE", f"/admin/thoughts/{thought_id}/")
        self._thoughts.check_status(answer, 204)

    def audit(
        self, caller: Caller, backend: BackendName, cursor: Cursor | None
    ) -> EntryPage[AuditEntry]:
        """Return a page of a backend's audit log, newest first."""
        api = self._users if backend == "users" else self._thoughts
        return api.get_list(caller, "/admin/audit/", AuditEntry, cursor)
