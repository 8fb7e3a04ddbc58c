"""Thoughts: reading, sharing and deleting one's own; searching everybody's."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext

from frontend.backends.cursors import EntryPage, cursor_in
from frontend.backends.errors import BackendAway, BackendRefused, ThoughtDeleted, TooManyRequests
from frontend.backends.thoughts_backend import Thought
from frontend.pages.page_request import PageRequest
from frontend.pages.rendering import HOME, RETRY_AFTER_SECONDS, redirect_with_notice, show
from frontend.pages.words import waiting_time

MAX_CHARACTERS = 250

_FORM_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
# The Thoughts Backend's message for a text that consists of invisible characters.
_NOTHING_VISIBLE = "text: must contain a visible character"


def _new_form_key() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is not stored yet, with LF line breaks, and its form's key.

    Every form and page passes it on until it is stored.
    """

    text: str = ""
    form_key: str = field(default_factory=_new_form_key)

    @property
    def idempotency_key(self) -> str:
        """The same for the same text from the same form, so that it is stored once.

        The form's key is part of it, so that it does not reveal a text that has been deleted.
        """
        return sha256(f"{self.form_key} {self.text}".encode()).hexdigest()


def posted_draft(fields: Mapping[str, str]) -> Draft:
    """Return the draft from a form's fields. Browsers send line breaks as CR LF."""
    text = fields.get("text", "").replace("\r\n", "\n")
    form_key = fields.get("form_key", "")
    return Draft(text, form_key) if _FORM_KEY.fullmatch(form_key) else Draft(text)


def own(request: PageRequest) -> HttpResponse:
    """The user's own thoughts, and the form to share one."""
    return own_page(request, Draft())


def share(request: PageRequest) -> HttpResponse:
    """Share a thought; if that fails, the form keeps the text."""
    if request.method != "POST":
        # The browser stays at this address after a refused text.
        return HttpResponseRedirect(HOME)
    draft = posted_draft(request.POST)
    try:
        request.parts.thoughts.share(
            request.caller, text=draft.text, idempotency_key=draft.idempotency_key
        )
    except BackendRefused as refusal:
        # Status 200, as after a failed login: the user can correct the form, while browsers report
        # any 4xx as an error.
        return own_page(request, draft, problem=_why_refused(draft.text, str(refusal)))
    except ThoughtDeleted:
        problem = gettext(
            "You shared this thought before, and it has since been deleted, so it was not shared "
            "again. To share it anyway, press Share again."
        )
        return own_page(request, Draft(draft.text), problem=problem)
    except TooManyRequests as limit:
        return _shared_too_much(request, draft, limit.retry_after_seconds)
    except BackendAway:
        problem = gettext(
            "Your thought cannot be shared at the moment. Your text is still here; "
            "please press Share again in a minute. It will not be shared twice."
        )
        # Without the list: it would come from the same backend.
        return show(request, "thoughts.html", status=503, draft=draft, problem=problem)
    return redirect_with_notice(HOME, "shared")


def delete(request: PageRequest, thought_id: int) -> HttpResponse:
    """Delete one of the user's thoughts; GET asks for confirmation."""
    caller = request.caller
    if request.method == "POST":
        request.parts.thoughts.delete(caller, thought_id)
        return redirect_with_notice(HOME, "deleted")
    thought = request.parts.thoughts.find_thought(caller, thought_id)
    if thought is None or thought.username != request.visitor.username:
        raise Http404
    return show(request, "delete.html", thought=thought, way_back="/thoughts/")


def search(request: PageRequest) -> HttpResponse:
    """Thoughts that contain `search`, those of the author `username`, or the newest of all."""
    # Keyboards that complete words add a space, which is not part of the search.
    words, username = (request.GET.get(name, "").strip() for name in ("search", "username"))
    cursor = cursor_in(request.GET)
    page: EntryPage[Thought] | None = None
    status, fault, retry_after_seconds = 200, "", RETRY_AFTER_SECONDS
    try:
        page = request.parts.thoughts.search(
            request.stranger, search=words, username=username, cursor=cursor
        )
    except BackendAway:
        status = 503
        fault = gettext("Thoughts cannot be searched at the moment. Please try again in a minute.")
    except TooManyRequests as limit:
        status, retry_after_seconds = 429, limit.retry_after_seconds
        fault = gettext(
            "There have been many searches from your network. Please try again in %(time)s."
        ) % {"time": waiting_time(retry_after_seconds)}
    except BackendRefused:
        status = 400
        if cursor is None:
            fault = gettext("This search is not valid. Please try other words.")
        else:
            fault = gettext("This page does not exist.")
    return show(
        request,
        "search.html",
        status=status,
        retry_after_seconds=retry_after_seconds,
        search=words,
        username=username,
        filters={"search": words, "username": username},
        fault=fault,
        page=page,
        is_first=cursor is None,
    )


def own_page(request: PageRequest, draft: Draft, *, problem: str = "") -> HttpResponse:
    """Return the page of the user's own thoughts with `draft` in its form.

    While the Thoughts Backend is unavailable, it contains only the form, with status 503.
    """
    cursor = cursor_in(request.GET)
    page: EntryPage[Thought] | None = None
    status, fault = 200, ""
    try:
        page = request.parts.thoughts.own_thoughts(request.caller, cursor)
    except BackendAway:
        status = 503
        fault = gettext(
            "Your thoughts cannot be shown at the moment. They are safe. "
            "Please try again in a minute."
        )
    except BackendRefused:
        status = 400
        fault = gettext("This page does not exist.")
    return show(
        request,
        "thoughts.html",
        status=status,
        draft=draft,
        problem=problem,
        fault=fault,
        page=page,
        is_first=cursor is None,
    )


def _shared_too_much(request: PageRequest, draft: Draft, seconds: int) -> HttpResponse:
    problem = gettext(
        "You have shared many thoughts in a short time. Your text is still here; "
        "you can share it in %(time)s."
    ) % {"time": waiting_time(seconds)}
    return show(
        request,
        "thoughts.html",
        status=429,
        retry_after_seconds=seconds,
        draft=draft,
        problem=problem,
    )


def _why_refused(text: str, explanation: str) -> str:
    """Return, for the user, why the backend rejected `text`; `explanation` is the backend's."""
    if not text.strip() or explanation == _NOTHING_VISIBLE:
        return gettext("There is nothing to share yet. Write something first.")
    if len(text) > MAX_CHARACTERS:
        excess = len(text) - MAX_CHARACTERS
        return ngettext(
            "A thought has at most %(limit)s characters. Yours is %(excess)s character too long.",
            "A thought has at most %(limit)s characters. Yours is %(excess)s characters too long.",
            excess,
        ) % {"limit": MAX_CHARACTERS, "excess": excess}
    return gettext("This text cannot be shared: %(explanation)s") % {
        "explanation": explanation or gettext("the server rejected it.")
    }
