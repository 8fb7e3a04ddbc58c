"""English and Simplified Chinese: which one is used, and whether each text exists in both."""

from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import frontend
from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser
from testkit.fake_backend import FakeUsersBackend, Reply
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until

PACKAGE = Path(frontend.__file__).parent
CATALOGUE = PACKAGE / "locale/zh_Hans/LC_MESSAGES/django.po"
KEYWORDS = DEFAULT_KEYWORDS | {"gettext_lazy": None}
MANAGED = {
    "id": 7,
    "username": "bruce",
    "creation": "1962-05-11T09:53:41Z",
    "is_admin": False,
    "is_disabled": False,
}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("en", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-HK", "zh-Hans"),
        ("zh-MO,en;q=0.5", "zh-Hans"),
        ("zh-Hant-TW", "zh-Hans"),
        ("fr-FR,zh-CN;q=0.5", "zh-Hans"),
        ("fr", "en"),
        ("", "en"),
        (';;q=x,"', "en"),
    ],
)
def test_page_is_in_the_browsers_language(browser: Browser, accepted: str, tag: str) -> None:
    """The language is the first available one of the browser's, otherwise English."""
    page = browser.get("/login/", Accept_Language=accepted)

    assert page.headers["Content-Language"] == tag
    assert f'<html lang="{tag}">' in page.text


def test_chinese_page_is_chinese(browser: Browser) -> None:
    """A Chinese browser gets Chinese texts."""
    page = browser.get("/login/", Accept_Language="zh-CN")

    assert "用户名" in page.words
    assert "Password" not in page.words


def test_language_can_be_switched(browser: Browser) -> None:
    """The switch changes the language permanently and leads back to the same page."""
    form = browser.get("/search?search=rain").form("/language/")

    page = browser.send(form, language="zh-hans")

    assert page.form("/search").fields["search"] == "rain"
    assert "包含“rain”的想法" in page.words
    assert "登录" in browser.get("/login/").words


def test_switch_keeps_a_text_that_is_being_typed(bruce: Browser) -> None:
    """Changing the language while typing keeps the text in the form, in the other language."""
    composer = bruce.get("/").form("/thoughts/new")

    page = bruce.post(
        "/language/", {**composer.fields, "text": "Two\nlines", "language": "zh-hans"}
    )

    assert page.form("/thoughts/new").fields["text"] == "Two\nlines"
    assert "发表" in page.words
    assert "发表" in bruce.get("/").words


def test_switch_on_the_login_page_keeps_the_text_that_waits(bruce: Browser) -> None:
    """A text that waits for login is kept in the other language too."""
    composer = bruce.get("/").form("/thoughts/new")
    bruce.cookies["mythoughts_session"] = "garbage"
    login = bruce.send(composer, text="Rain")

    page = bruce.send(login.form("/language/"), language="zh-hans")

    assert page.form("/login/").fields["text"] == "Rain"
    assert "用户名" in page.words


def test_switch_after_a_wrong_password_keeps_the_wanted_page(browser: Browser) -> None:
    """A visitor who then logs in gets to the page that the login was for."""
    login = browser.get("/account/password/").form("/login/")
    refused = browser.send(login, username="bruce", password="wrong")

    page = browser.send(refused.form("/language/"), language="zh-hans")

    assert "用户名" in page.words
    assert page.form("/login/").fields["next"] == "/account/password/"


@pytest.mark.parametrize(
    "path",
    [
        "/register/",
        "/account/password/",
        "/account/delete/",
        "/admin/users/new",
        "/admin/users/7/",
        "/admin/users/7/delete",
    ],
)
def test_switch_on_a_refused_form_leads_back_to_it(
    settings: Settings, users: FakeUsersBackend, token_maker: TokenMaker, path: str
) -> None:
    """The page remains the same; only its language changes."""
    users.fault = lambda handler, call: handler.reply(
        Reply(200, MANAGED) if call.method == "GET" else Reply(409, {"detail": "refused"})
    )
    running = RunningFrontend(replace(settings, registration="open"))
    wait_until(lambda: running.knows_ended_sessions)
    browser = Browser(running.url)
    if path != "/register/":
        browser.cookies["mythoughts_session"] = token_maker.admin_token()

    refused = browser.send(browser.get(path).form(path), action="end-sessions")
    switch = refused.form("/language/")
    page = browser.send(switch, language="zh-hans")
    running.stop()

    assert "refused" in refused.words
    assert switch.fields["next"] == path
    assert page.headers["Content-Language"] == "zh-Hans"
    assert path in [form.action for form in page.forms]


def test_address_of_the_switch_leads_home(browser: Browser) -> None:
    """Loading the address that remains after a switch with a text is no error."""
    answer = browser.get("/language/", follow=False)

    assert (answer.status, answer.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("language", ["", "fr", "../../etc", "zh"])
def test_language_that_there_is_not_changes_nothing(browser: Browser, language: str) -> None:
    """Choosing an unknown language changes nothing."""
    form = browser.get("/login/").form("/language/")

    page = browser.send(form, language=language)

    assert page.headers["Content-Language"] == "en"
    assert "mythoughts_language" not in browser.cookies


def test_switch_does_not_lead_to_other_sites(browser: Browser) -> None:
    """The redirect after the switch stays on this site."""
    form = browser.get("/login/").form("/language/")

    answer = browser.send(form, follow=False, language="zh-hans", next="https://elsewhere.example")

    assert answer.headers["Location"] == "/"


def test_caches_know_what_a_page_depends_on(browser: Browser) -> None:
    """Pages declare that they depend on language and cookies, and must not be cached by proxies."""
    page = browser.get("/login/")

    assert {"Accept-Language", "Cookie"} <= set(page.headers["Vary"].split(", "))
    assert "private" in page.headers["Cache-Control"]


def test_every_text_is_translated() -> None:
    """Every UI text has a Chinese translation, and there are no obsolete translations.

    To fix this, translate and compile as described in CONTRIBUTING.md.
    """
    translated = {message.id for message in _catalogue() if message.id and all(_strings(message))}

    assert translated == _texts_in_the_code()


def test_no_translation_is_marked_as_doubtful() -> None:
    """No translation is marked fuzzy, which would leave it out of the compiled catalogue."""
    assert [message.id for message in _catalogue() if message.fuzzy] == []


def test_translations_have_the_variables_of_their_texts() -> None:
    """Every %(variable)s of a text is in its translation, and there are no others."""
    faults = [error for message in _catalogue() for error in message.check(_catalogue())]

    assert faults == []


def test_compiled_catalogue_is_up_to_date() -> None:
    """The committed .mo file matches its .po file."""
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)

    assert _translations(compiled) == _translations(_catalogue())


def _catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans", domain="django")


def _translations(catalogue: Catalog) -> dict[str, tuple[str, ...]]:
    return {str(tuple(message.id)): _strings(message) for message in catalogue if message.id}


def _strings(message: object) -> tuple[str, ...]:
    string = getattr(message, "string", "")
    return (string,) if isinstance(string, str) else tuple(string)


def _texts_in_the_code() -> set[object]:
    found = extract_from_dir(PACKAGE, METHODS, keywords=KEYWORDS)
    return {text for _, _, text, _, _ in found}
