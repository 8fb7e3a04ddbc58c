"""The Users Backend as the pages see it; calls raise only the errors in `errors.py`."""

import msgspec

from frontend.backends.api import BackendApi, Caller
from frontend.backends.http_client import HttpClient
from mythoughts_chassis.settings import Secret


class _LoggedIn(msgspec.Struct):
    authorized: str = msgspec.field(name="Authorized")


class UsersBackend:
    """The Users Backend. Every method may raise any `BackendError`."""

    def __init__(self, client: HttpClient) -> None:
        self._api = BackendApi(client)

    def log_in(self, caller: Caller, *, username: str, password: Secret) -> str | None:
        """Return a token, or None if the name or password is wrong."""
        body = {"username": username, "password": password.reveal()}
        answer = self._api.call(caller, "POST", "/api/login/", body)
        # 400: the name or password is malformed, for example empty.
        if answer.status in (400, 401):
            return None
        return self._token_in(self._api.decoded(answer, _LoggedIn))

    def _token_in(self, logged_in: _LoggedIn) -> str:
        scheme, _, token = logged_in.authorized.partition(" ")
        if scheme != "Bearer" or not token:
            raise self._api.client.away("bad_answer", "a login answer without a token")
        return token
