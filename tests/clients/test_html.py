"""html-validate has nothing against the HTML of any page, in both languages."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings

from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser, Page
from testkit.fake_backend import FakeThoughtsBackend, FakeUsersBackend
from tests.clients import tools

pytestmark = pytest.mark.node

HOSTILE = (
    "<script>alert(1)</script> </textarea></p></article>",
    "\"'><input autofocus onfocus=alert(1)> &amp; &lt; &nosuch; &#0; ]]> -->",
    "https://example.com/\"onmouseover='x'?a=1&b=2&copy=3 www.example.com/(a)_[b]",
    "1.\n2.\n\n   3.\t4. \u202e abc \u0301 👨‍👩‍👧",
    "短短的想法 https://example.com/短 فكرة قصيرة",
)
NAME = "<b>\"Ed' & &copy;</b>"


@pytest.fixture(autouse=True)
def _one_name(frontend: RunningFrontend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site goes by one name. Django has one configuration for all tests of a process."""
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["127.0.0.1"])


@pytest.fixture
def stranger(frontend: RunningFrontend) -> Browser:
    """The browser of somebody who is not logged in."""
    return Browser(frontend.url)


@pytest.fixture(autouse=True)
def _hostile_thoughts(thoughts: FakeThoughtsBackend) -> None:
    """More than a page of thoughts that would break HTML which is put together without care."""
    for text in HOSTILE * 5:
        thoughts.add("bruce", text)
        thoughts.add(NAME, text)


def pages_of_a_visitor(stranger: Browser) -> Iterator[tuple[str, int, Page]]:
    """Each page that needs no login: its name, its status, and the page."""
    login = stranger.get("/login/").form("/login/")
    token = {"csrfmiddlewaretoken": login.fields["csrfmiddlewaretoken"]}
    yield "login", 200, stranger.get(f"/login/?next={quote('/search?search=<a&b>')}")
    yield "failed login", 200, stranger.send(login, username=NAME, password="wrong")
    kept = stranger.post("/thoughts/new", {**token, "text": HOSTILE[0], "key": "a"})
    yield "login with a kept text", 200, kept
    yield "first password", 200, stranger.send(login, username="new", password="new")
    yield "everybody", 200, stranger.get("/search")
    yield "past the end", 200, stranger.get("/search?max_id=1")
    yield "results", 200, stranger.get(f"/search?search={quote('<script>')}")
    yield "results, second page", 200, stranger.get("/search?search=a&max_id=20")
    yield "no results", 200, stranger.get(f"/search?search={quote(HOSTILE[1])}")
    yield "author", 200, stranger.get(f"/search?username={quote(NAME)}")
    yield "within an author", 200, stranger.get(f"/search?username={quote(NAME)}&search=a")
    yield "not found", 404, stranger.get("/nowhere/<b>")
    yield "wrong method", 405, stranger.post("/search", token)
    yield "wrong host", 400, stranger.get("/search", Host="evil.example")
    yield "old form", 403, stranger.post("/logout/", {})
    yield "old login", 403, stranger.post("/login/", {"username": NAME, "password": "a"})


def pages_of_a_user(bruce: Browser) -> Iterator[tuple[str, int, Page]]:
    """Each page of somebody who is logged in."""
    own = bruce.get("/")
    form = own.form("/thoughts/new")
    yield "own thoughts", 200, own
    yield "own thoughts, second page", 200, bruce.get("/?max_id=20")
    yield "search of a user", 200, bruce.get("/search?search=a")
    yield "refused text", 200, bruce.send(form, text=HOSTILE[0] + "x" * 250)
    yield "old form with a text", 403, bruce.post("/thoughts/new", {"text": HOSTILE[0], "key": "a"})
    yield "shared", 200, bruce.send(form, text=HOSTILE[1])
    yield "confirm delete", 200, bruce.get("/thoughts/1/delete")
    for name in ("", "password/", "sessions/", "export/", "delete/"):
        yield f"account {name.strip('/')}", 200, bruce.get(f"/account/{name}")
    deletion = bruce.get("/account/delete/").form("/account/delete/")
    yield "refused deletion", 200, bruce.send(deletion, password="wrong")
    yield "confirm logout", 200, bruce.get("/logout/")


def pages_without_backends(bruce: Browser, stranger: Browser) -> Iterator[tuple[str, int, Page]]:
    """Each page that says that a backend is away."""
    yield "own thoughts, away", 503, bruce.get("/")
    yield "search, away", 503, stranger.get("/search?search=a")
    yield "delete, away", 503, bruce.get("/thoughts/1/delete")
    login = stranger.get("/login/").form("/login/")
    yield "login, away", 503, stranger.send(login, username=NAME, password="a")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_page_is_valid(
    bruce: Browser,
    stranger: Browser,
    thoughts: FakeThoughtsBackend,
    users: FakeUsersBackend,
    language: str,
    tmp_path: Path,
) -> None:
    """No page has an error or a warning, whatever people have written."""
    bruce.language = stranger.language = language
    users.must_change.add("new")
    users.add_session(HOSTILE[0])
    pages = [*pages_of_a_visitor(stranger), *pages_of_a_user(bruce)]
    thoughts.stop()
    users.stop()
    pages += pages_without_backends(bruce, stranger)
    for name, _, page in pages:
        (tmp_path / f"{name}.html").write_text(page.text)

    config = tools.FOLDER / "html-validate.cjs"
    done = tools.run("html-validate", "--config", config, "--formatter", "text", ".", cwd=tmp_path)

    assert [page.status for *_, page in pages] == [status for _, status, _ in pages]
    assert (done.stdout, done.returncode) == ("", 0)
