"""Sharing a thought: stored once, and no typed text is lost."""

import time

import pytest
from structlog.testing import capture_logs

from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, Fault, Reply
from testkit.token_maker import TokenMaker

SHARE = "/thoughts/new"
EXPIRED = "This form has expired"


def test_shared_thought_is_on_the_own_page(bruce: Browser) -> None:
    """A shared thought is at the top of the user's own page, with a notice."""
    page = bruce.send(bruce.get("/").form(SHARE), text="Rain on the roof")

    assert page.status == 200
    assert "Your thought has been shared." in page.words
    assert "Rain on the roof" in page.words


def test_line_breaks_count_as_one_character(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """250 characters, with line breaks sent as CR LF by browsers, are not too many."""
    text = "a\n" * 125

    bruce.send(bruce.get("/").form(SHARE), text=text)

    assert thoughts.thoughts[0]["text"] == text


def test_characters_outside_the_first_plane_count_as_one(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """250 emoji are not too many."""
    bruce.send(bruce.get("/").form(SHARE), text="😀" * 250)

    assert thoughts.thoughts[0]["text"] == "😀" * 250


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Write something first."),
        (" \n\t ", "Write something first."),
        ("a" * 251, "Yours is 1 character too long."),
        ("思" * 300, "Yours is 50 characters too long."),
    ],
)
def test_refused_text_is_in_the_form_with_the_reason(
    bruce: Browser, thoughts: FakeThoughtsBackend, text: str, reason: str
) -> None:
    """A rejected text comes back, with the reason, and is not stored."""
    thoughts.add("bruce", "An older thought")

    page = bruce.send(bruce.get("/").form(SHARE), text=text)

    assert page.status == 200
    assert reason in page.words
    assert page.form(SHARE).fields["text"] == text
    assert "An older thought" in page.words
    assert len(thoughts.thoughts) == 1


def test_unforeseen_reason_of_the_backend_is_shown(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A reason unknown to the Frontend is shown in the backend's words."""
    form = bruce.get("/").form(SHARE)
    thoughts.fault = lambda handler, call: handler.reply(
        Reply(400, {"detail": "text: no <rhymes>"}) if call.method == "POST" else Reply(200, [])
    )

    page = bruce.send(form, text="Rain in Spain")

    assert "This text cannot be shared: text: no <rhymes>" in page.words
    assert page.form(SHARE).fields["text"] == "Rain in Spain"


def _limited(seconds: str) -> Fault:
    """Refuse each request because of a limit; the next is possible after `seconds`."""
    return lambda handler, _: handler.reply(Reply(429, {}, {"Retry-After": seconds}))


@pytest.mark.parametrize(
    ("seconds", "language", "words"),
    [
        ("1", "en", "you can share it in 1 second."),
        ("119", "en", "you can share it in 119 seconds."),
        ("121", "en", "you can share it in 3 minutes."),
        ("7201", "en", "you can share it in 3 hours."),
        ("39", "zh", "请在 39 秒后再发表"),
    ],
)
def test_text_beyond_the_limit_is_in_the_form_with_the_wait(
    bruce: Browser, thoughts: FakeThoughtsBackend, seconds: str, language: str, words: str
) -> None:
    """A user who shares too much sees how long to wait; the text stays in the form."""
    form = bruce.get("/").form(SHARE)
    thoughts.fault = _limited(seconds)

    page = bruce.post(SHARE, form.fields | {"text": "Rain"}, Accept_Language=language)

    assert (page.status, page.headers["Retry-After"]) == (429, seconds)
    assert words in page.words
    assert page.form(SHARE).fields["text"] == "Rain"


def test_text_is_shared_once_the_wait_is_over(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """The form of the page that says to wait shares the text later."""
    form = bruce.get("/").form(SHARE)
    thoughts.fault = _limited("1")
    page = bruce.send(form, text="Rain")
    thoughts.fault = None

    bruce.send(page.form(SHARE))

    assert [thought["text"] for thought in thoughts.thoughts] == ["Rain"]


def test_limit_does_not_count_as_a_failure_of_the_backend(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """However often a limit refuses a user, the backend is not taken to be away."""
    form = bruce.get("/").form(SHARE)
    thoughts.fault = _limited("1")
    for _ in range(5):
        bruce.send(form, text="Rain")
    thoughts.fault = None

    assert bruce.get("/").status == 200


def test_text_without_visible_characters_is_not_shared(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A text that the backend rejects as invisible is treated as empty."""
    form = bruce.get("/").form(SHARE)
    thoughts.fault = lambda handler, call: handler.reply(
        Reply(400, {"detail": "text: must contain a visible character"})
        if call.method == "POST"
        else Reply(200, [])
    )

    page = bruce.send(form, text="\u200b\u3164")

    assert "There is nothing to share yet." in page.words


@pytest.mark.parametrize("text", ["\nA line break first", "</textarea><script>", "a & b &lt;"])
def test_text_comes_back_character_by_character(bruce: Browser, text: str) -> None:
    """The form is refilled with exactly the typed text."""
    long_text = text + "a" * 251

    page = bruce.send(bruce.get("/").form(SHARE), text=long_text)

    assert page.form(SHARE).fields["text"] == long_text


def test_double_click_stores_one_thought(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """The same form sent twice stores one thought."""
    form = bruce.get("/").form(SHARE)

    bruce.send(form, text="Rain")
    page = bruce.send(form, text="Rain")

    assert "Your thought has been shared." in page.words
    assert len(thoughts.thoughts) == 1


def test_form_sent_again_with_another_text_stores_both(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Returning to a form and writing something else shares a second thought."""
    form = bruce.get("/").form(SHARE)

    bruce.send(form, text="Rain")
    bruce.send(form, text="Sun")

    assert [thought["text"] for thought in thoughts.thoughts] == ["Rain", "Sun"]


def test_form_sent_again_after_the_deletion_is_explained(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Returning to a form whose thought was deleted says so, and the text can be shared again."""
    form = bruce.get("/").form(SHARE)
    bruce.send(form, text="Rain")
    thoughts.thoughts.clear()

    again = bruce.send(form, text="Rain")
    stored_before = len(thoughts.thoughts)
    shared = bruce.send(again.form(SHARE))

    assert "it has since been deleted, so it was not shared again." in again.words
    assert "Your thought has been shared." not in again.words
    assert stored_before == 0
    assert again.form(SHARE).fields["text"] == "Rain"
    assert "Your thought has been shared." in shared.words
    assert len(thoughts.thoughts) == 1


@pytest.mark.parametrize("times", [1, 3])
def test_second_click_waits_for_the_first(
    bruce: Browser, thoughts: FakeThoughtsBackend, times: int
) -> None:
    """While the backend says that the first request is in progress, the Frontend tries again."""
    form = bruce.get("/").form(SHARE)
    conflicts = [Reply(409, {"detail": "in progress"})] * times
    thoughts.fault = lambda handler, call: handler.reply(
        conflicts.pop() if conflicts else thoughts.answer(call)
    )

    page = bruce.send(form, text="Rain")

    assert "Your thought has been shared." in page.words
    assert len(thoughts.thoughts) == 1


@pytest.mark.parametrize("session", ["none", "garbage", "expired"])
def test_text_typed_while_the_session_ended_is_there_after_logging_in(
    bruce: Browser, thoughts: FakeThoughtsBackend, token_maker: TokenMaker, session: str
) -> None:
    """A text sent without a valid session is in the form after login, and can be shared."""
    form = bruce.get("/").form(SHARE)
    expired = token_maker.token("bruce", exp=int(time.time()) - 120)
    bruce.cookies["mythoughts_session"] = {"none": "", "garbage": "x.y.z", "expired": expired}[
        session
    ]

    login = bruce.send(form, text="Two\nlines & more")
    own = bruce.send(login.form("/login/"), username="bruce", password="bruce")
    bruce.send(own.form(SHARE))

    assert "Your text has been kept." in login.words
    assert own.form(SHARE).fields["text"] == "Two\nlines & more"
    assert thoughts.thoughts[0]["text"] == "Two\nlines & more"


def test_draft_survives_a_mistyped_password(bruce: Browser) -> None:
    """A text that waits for login survives a failed login."""
    form = bruce.get("/").form(SHARE)
    bruce.cookies["mythoughts_session"] = "garbage"

    login = bruce.send(form, text="Rain")
    again = bruce.send(login.form("/login/"), username="bruce", password="wrong")
    own = bruce.send(again.form("/login/"), username="bruce", password="bruce")

    assert own.form(SHARE).fields["text"] == "Rain"


def test_draft_survives_a_password_that_no_backend_takes(browser: Browser) -> None:
    """A login that cannot even be sent to the Users Backend leaves the text in the form."""
    form = browser.get("/login/").form("/login/")

    page = browser.send(form, username="bruce", password="a" * 70_000, text="Kept")

    assert page.status == 200
    assert page.form("/login/").fields["text"] == "Kept"


def test_text_is_kept_when_the_backend_rejects_the_token(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A token that only the backend rejects leads to the login page with the text."""
    form = bruce.get("/").form(SHARE)
    thoughts.accepts_tokens = False

    login = bruce.send(form, text="Rain")

    assert login.form("/login/").fields["text"] == "Rain"
    assert "mythoughts_session" not in bruce.cookies


@pytest.mark.security
def test_missing_csrf_field_stores_nothing_and_keeps_the_text(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A form without its CSRF field gets 403, and its text is in a fresh form."""
    bruce.get("/")

    page = bruce.post(SHARE, {"text": "Rain"})
    bruce.send(page.form(SHARE))

    assert page.status == 403
    assert EXPIRED in page.words
    assert [thought["text"] for thought in thoughts.thoughts] == ["Rain"]


@pytest.mark.security
def test_csrf_field_of_another_browser_is_refused(
    bruce: Browser, frontend: RunningFrontend, thoughts: FakeThoughtsBackend
) -> None:
    """A form that was rendered for another browser is rejected."""
    bruce.get("/")
    other = Browser(frontend.url)
    other.log_in("stephen")
    form = other.get("/").form(SHARE)

    page = bruce.send(form, text="Rain")

    assert page.status == 403
    assert thoughts.thoughts == []


def test_expired_form_asks_no_backend(
    bruce: Browser, thoughts: FakeThoughtsBackend, token_maker: TokenMaker
) -> None:
    """A text without its CSRF field is in a fresh form, even if the backend would reject it."""
    bruce.get("/")
    thoughts.accepts_tokens = False
    calls_before = len(thoughts.calls)

    page = bruce.post(SHARE, {"text": "Rain"})

    assert page.status == 403
    assert page.form(SHARE).fields["text"] == "Rain"
    assert len(thoughts.calls) == calls_before


def test_text_of_an_expired_form_is_kept_through_the_login(browser: Browser) -> None:
    """A text without its CSRF field and without a session is kept until after login."""
    login = browser.post(SHARE, {"text": "Rain"})

    own = browser.send(login.form("/login/"), username="bruce", password="bruce")

    assert login.status == 403
    assert own.form(SHARE).fields["text"] == "Rain"


@pytest.mark.security
@pytest.mark.parametrize("path", ["/login/", "/logout/", "/language/", "/thoughts/1/delete"])
def test_every_form_needs_its_csrf_field(bruce: Browser, path: str) -> None:
    """No form works without its CSRF field."""
    bruce.get("/")

    page = bruce.post(path, {"username": "bruce", "password": "bruce", "language": "zh-hans"})

    assert page.status == 403
    assert "mythoughts_session" in bruce.cookies
    assert "mythoughts_language" not in bruce.cookies


@pytest.mark.parametrize("cookie", ["without", "with"])
def test_form_without_a_cookie_gets_its_own_explanation(bruce: Browser, cookie: str) -> None:
    """Only a browser without the cookie is told that cookies must be allowed."""
    form = bruce.get("/").form(SHARE)
    fields = form.fields | {"text": "Rain", "csrfmiddlewaretoken": "x"}
    if cookie == "without":
        del bruce.cookies["mythoughts_csrf"]

    page = bruce.post(SHARE, fields)

    assert page.status == 403
    assert ("Please allow cookies" in page.words) == (cookie == "without")
    assert (EXPIRED in page.words) == (cookie == "with")
    assert page.form(SHARE).fields["text"] == "Rain"


OTHER_HOST = ("https://elsewhere.example", "make the proxy pass on the Host header", "")
OTHER_SCHEME = ("https://{host}", "set BEHIND_TLS=true", "Rain")
OTHER_PORT = ("http://{host}0", "make the proxy pass on the Host header", "")


@pytest.mark.security
@pytest.mark.parametrize(("origin", "repair", "kept"), [OTHER_HOST, OTHER_SCHEME, OTHER_PORT])
def test_form_of_another_origin_is_refused(
    bruce: Browser, caplog: pytest.LogCaptureFixture, origin: str, repair: str, kept: str
) -> None:
    """A form from another origin is rejected; the log says in one line how to fix it.

    Only the text of this site's own form is kept, even if the site does not know its own scheme.
    """
    form = bruce.get("/").form(SHARE)
    host = bruce.base_url.removeprefix("http://")
    origin = origin.format(host=host)

    with capture_logs() as log:
        page = bruce.post(SHARE, form.fields | {"text": "Rain"}, Origin=origin)

    (warning,) = [entry for entry in log if entry["log_level"] == "warning"]
    assert page.status == 403
    assert "this site does not recognize the address" in page.words
    assert "ookie" not in page.words
    assert ("Rain" in page.text) == bool(kept)
    assert (warning["origin"], warning["expected"]) == (origin, f"http://{host}")
    assert repair in warning["repair"]
    assert caplog.records == []


@pytest.mark.security
@pytest.mark.parametrize("path", [SHARE, "/login/", "/language/"])
@pytest.mark.parametrize("who", ["stranger", "user"])
@pytest.mark.parametrize(
    ("site", "origin"),
    [
        ("cross-site", "https://elsewhere.example"),
        ("same-site", "https://other.example.org"),
        ("", "https://elsewhere.example"),
        ("", "null"),
    ],
)
def test_form_of_another_site_leaves_nothing_behind(
    browser: Browser, token_maker: TokenMaker, site: str, origin: str, who: str, path: str
) -> None:
    """No text, name or address of a foreign form is in a form of the answer, nor after a login."""
    if who == "user":
        browser.cookies["mythoughts_session"] = token_maker.token("bruce")
    fields = {"text": "Obey", "username": "mallory", "next": "/search?search=Obey"}

    page = browser.post(path, fields, Sec_Fetch_Site=site, Origin=origin)

    assert page.status == 403
    assert "Obey" not in page.text
    assert "mallory" not in page.text


def test_expired_form_keeps_its_text_whatever_the_proxy_does(bruce: Browser) -> None:
    """A form that the browser knows to be this site's keeps its text, even with another Host."""
    page = bruce.post(
        SHARE, {"text": "Rain"}, Sec_Fetch_Site="same-origin", Origin="https://public.example"
    )

    assert page.status == 403
    assert page.form(SHARE).fields["text"] == "Rain"


@pytest.mark.security
def test_form_of_a_browser_that_hides_its_origin_is_refused(bruce: Browser) -> None:
    """A browser that hides the form's origin is told so, not that the form has expired."""
    form = bruce.get("/").form(SHARE)

    page = bruce.post(SHARE, form.fields | {"text": "Rain"}, Origin="null")

    assert page.status == 403
    assert "your browser did not say which site the form came from" in page.words


def test_tab_that_was_open_before_a_new_login_keeps_its_text(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A text typed in a tab before a login in another tab is put into a fresh form."""
    old_tab = bruce.get("/").form(SHARE)
    bruce.send(bruce.get("/").form("/logout/"))
    bruce.log_in("bruce")

    page = bruce.send(old_tab, text="Rain")
    bruce.send(page.form(SHARE))

    assert EXPIRED in page.words
    assert len(thoughts.thoughts) == 1


def test_two_tabs_share_side_by_side(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """Forms open in two tabs store two thoughts, even with the same text."""
    first, second = bruce.get("/").form(SHARE), bruce.get("/").form(SHARE)

    bruce.send(first, text="Rain")
    bruce.send(second, text="Rain")

    assert len(thoughts.thoughts) == 2


def test_address_of_the_form_leads_to_the_own_page(bruce: Browser) -> None:
    """Reloading the address after a rejected text shows the user's own page."""
    answer = bruce.get(SHARE, follow=False)

    assert answer.headers["Location"] == "/"
