"""The Thoughts Backend as the pages see it; calls raise only the errors in `errors.py`."""

import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

import msgspec

from frontend.backends.backend_api import BackendApi, Caller, Moment
from frontend.backends.cursors import Cursor, EntryPage, older_cursor

CONFLICT_REPEATS = 5
CONFLICT_PAUSE_SECONDS = 0.2
# The most entries that the backend puts on one page of a list.
MOST_A_CALL = 100


class Thought(msgspec.Struct, frozen=True):
    """One thought."""

    id: int
    username: str
    text: str
    timestamp: Moment


class ThoughtsBackend(BackendApi):
    """The Thoughts Backend. Every method may raise any `BackendError`."""

    def own_thoughts(self, caller: Caller, cursor: Cursor | None) -> EntryPage[Thought]:
        """Return a page of the caller's own thoughts."""
        return self.get_list(caller, "/api/me/thoughts/", Thought, cursor)

    def all_own_thoughts(self, caller: Caller) -> Iterator[list[Thought]]:
        """Yield all of the caller's own thoughts, newest first, at least one list of them.

        Thoughts that are shared meanwhile are left out.
        """
        parameters = {"limit": str(MOST_A_CALL)}
        while True:
            target = f"/api/me/thoughts/?{urlencode(parameters)}"
            response = self.call(caller, "GET", target)
            yield self.decoded(response, list[Thought])
            older = older_cursor(response.headers.get("link", ""))
            if older is None:
                return
            parameters |= older.parameters

    def delete_all(self, caller: Caller) -> None:
        """Delete all of the caller's thoughts; may be repeated."""
        response = self.call(caller, "DELETE", "/api/me/thoughts/")
        self.check_status(response, 204)

    def search(
        self, caller: Caller, *, search: str, username: str, cursor: Cursor | None
    ) -> EntryPage[Thought]:
        """Return a page of everybody's thoughts; empty filters match everything.

        A search that takes too long ends early: its page has few thoughts or none, but its cursors
        lead to the rest.
        """
        return self.get_list(
            caller, "/api/thoughts/", Thought, cursor, search=search, username=username
        )

    def find_thought(self, caller: Caller, thought_id: int) -> Thought | None:
        """Return the thought with this id, or None if there is none."""
        response = self.call(caller, "GET", f"/api/thoughts/{thought_id}/")
        return None if response.status == 404 else self.decoded(response, Thought)

    def share(self, caller: Caller, *, text: str, idempotency_key: str) -> None:
        """Store a thought, once per key."""
        headers = {"Idempotency-Key": idempotency_key}
        call = partial(self.call, caller, "POST", "/api/me/thoughts/", {"text": text}, headers)
        last_repeat_at = time.monotonic() + self.client.answer_seconds
        response = call()
        for _ in range(CONFLICT_REPEATS):
            if response.status != 409 or time.monotonic() > last_repeat_at:
                break
            # The first request of a double click is still in progress.
            time.sleep(CONFLICT_PAUSE_SECONDS)
            response = call()
        if response.status == 409:
            raise self.client.away("bad_answer", "a first request that does not end")
        self.check_status(response, 201)

    def delete(self, caller: Caller, thought_id: int) -> None:
        """Delete one of the caller's thoughts; no error if it is already gone."""
        response = self.call(caller, "DELETE", f"/api/me/thoughts/{thought_id}/")
        self.check_status(response, 204, 404)

    def delete_anybodys(self, caller: Caller, thought_id: int) -> None:
        """Delete anybody's thought, as an admin; no error if it is already gone."""
        response = self.call(caller, "DELETE", f"/admin/thoughts/{thought_id}/")
        self.check_status(response, 204)
