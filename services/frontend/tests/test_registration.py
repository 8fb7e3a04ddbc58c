"""Creating an account for oneself."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser, Page
from testkit.fake_backend import Call, FakeUsersBackend, Handler, Reply

PATH = "/register/"
PASSWORD = "be water, my friend"


@pytest.fixture
def visitor(settings: Settings) -> Iterator[Browser]:
    """A browser on a Frontend where registration is open."""
    running = RunningFrontend(replace(settings, registration="open"))
    yield Browser(running.url)
    running.stop()


def register(browser: Browser, name: str = "Lena", password: str = PASSWORD) -> Page:
    """Fill in the form and send it."""
    form = browser.get(PATH).form(PATH)
    return browser.send(form, username=name, password=password, repeated=password)


def test_registration_is_closed_by_default(browser: Browser) -> None:
    """Without the setting there is no page, and the login page does not lead to it."""
    page = browser.get("/login/")

    assert browser.get(PATH).status == 404
    assert PATH not in page.links.values()


def test_first_of_two_wrong_fields_is_focused(visitor: Browser, users: FakeUsersBackend) -> None:
    """Of two fields with a problem the first gets the focus: HTML allows only one to ask for it."""
    errors = [{"field": name, "detail": "is required"} for name in ("username", "password")]
    users.fault = lambda handler, _: handler.reply(Reply(400, {"detail": "no", "errors": errors}))

    page = register(visitor)

    assert page.words.count("Please fill in this field.") == 2
    assert re.findall(r'<input id="(\w+)"[^>]* autofocus', page.text) == ["username"]


def test_who_registers_is_logged_in(visitor: Browser, users: FakeUsersBackend) -> None:
    """The login page leads to the form; afterwards one is logged in and welcome."""
    path = visitor.get("/login/").link("Create an account")
    assert path == PATH

    page = register(visitor, " Lena ")

    assert users.passwords == {"Lena": PASSWORD}
    assert "Welcome! Your account is ready." in page.words
    assert "What is on your mind, Lena?" in page.words


def test_taken_name_has_its_reason(visitor: Browser, users: FakeUsersBackend) -> None:
    """A taken name is refused at its field, and stays in it."""
    users.passwords["Lena"] = "of another Lena"

    page = register(visitor)

    assert page.status == 200
    assert 'id="username-problem" role="alert">This name is taken. Please choose' in page.text
    assert page.form(PATH).fields["username"] == "Lena"
    assert PASSWORD not in page.text


def test_bad_password_has_its_reason(visitor: Browser) -> None:
    """A refused password has its reason at its field."""
    page = register(visitor, password="short")

    assert 'id="password-problem" role="alert">At least 8 characters.<' in page.text


def test_passwords_that_differ_create_nothing(visitor: Browser, users: FakeUsersBackend) -> None:
    """The password must be typed twice in the same way."""
    form = visitor.get(PATH).form(PATH)

    page = visitor.send(form, username="Lena", password=PASSWORD, repeated=PASSWORD + "!")

    assert "The two passwords are not the same." in page.words
    assert users.passwords == {}


def test_backend_decides_whether_registration_is_open(
    visitor: Browser, users: FakeUsersBackend
) -> None:
    """When the Users Backend says that registration is closed, the page says so."""
    users.registration_is_open = False

    assert "Registration is closed." in register(visitor).words


def test_too_many_registrations_say_how_long_to_wait(
    visitor: Browser, users: FakeUsersBackend
) -> None:
    """429 of the backend is shown in words, and the name is kept."""
    users.fault = lambda handler, _: handler.reply(Reply(429, {}, {"Retry-After": "3600"}))

    page = register(visitor)

    assert (page.status, page.headers["Retry-After"]) == (429, "3600")
    assert "Please try again in 60 minutes." in page.words
    assert page.form(PATH).fields["username"] == "Lena"


def test_account_that_is_ready_while_logging_in_fails(
    visitor: Browser, users: FakeUsersBackend
) -> None:
    """When the login after it fails, the login page says that the account is ready."""

    def fail_to_log_in(handler: Handler, call: Call) -> None:
        is_login = call.path.startswith("/api/login")
        handler.reply(Reply(503) if is_login else users.answer(call))

    users.fault = fail_to_log_in

    page = register(visitor)

    assert "Your account is ready. Please log in." in page.words
    assert page.form("/login/")


def test_old_registration_form_leads_back_to_itself(visitor: Browser) -> None:
    """A form that has expired is not sent, and a link leads back to it."""
    form = visitor.get(PATH).form(PATH)
    visitor.cookies.clear()

    page = visitor.send(form, username="Lena", password=PASSWORD, repeated=PASSWORD)

    assert page.status == 403
    assert page.link("Back to the form") == PATH
