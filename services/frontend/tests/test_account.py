"""One's own account: the overview, and changing the password."""

import pytest

from testkit.browser import Browser, Page
from testkit.fake_backend import LIMIT, FakeUsersBackend, Reply

NEW = "be water, my friend"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account/"),
        ("GET", "/account/password/"),
        ("POST", "/account/password/"),
    ],
)
def test_account_needs_a_login(browser: Browser, method: str, path: str) -> None:
    """Visitors who are not logged in get the login page, which leads back."""
    browser.get("/search")
    fields = {"csrfmiddlewaretoken": browser.cookies["mythoughts_csrf"]}

    page = browser.get(path) if method == "GET" else browser.post(path, fields)

    assert page.form("/login/").fields["next"] == path


def test_bar_leads_to_the_account(bruce: Browser) -> None:
    """The bar leads to the account, which leads to all that one can do with it."""
    page = bruce.get(bruce.get("/").link("Account"))

    assert "Account bruce" in page.words
    assert page.link("Change the password") == "/account/password/"


def change(browser: Browser, password: str, new_password: str, repeated: str = "") -> Page:
    """Fill in the form that changes the password, and send it."""
    form = browser.get("/account/password/").form("/account/password/")
    return browser.send(
        form, password=password, new_password=new_password, repeated=repeated or new_password
    )


def test_password_is_changed(bruce: Browser, users: FakeUsersBackend) -> None:
    """After the change the page says that all other sessions have ended."""
    page = change(bruce, "bruce", NEW)

    assert users.passwords == {"bruce": NEW}
    assert "You are now logged out everywhere else." in page.words


@pytest.mark.parametrize(
    ("password", "new_password", "repeated", "field", "words"),
    [
        ("wrong", NEW, NEW, "password", "The current password is wrong."),
        ("bruce", "short", "short", "new_password", "At least 8 characters."),
        ("bruce", NEW, NEW + "!", "repeated", "The two passwords are not the same."),
    ],
)
def test_refused_password_has_the_reason_at_its_field(
    bruce: Browser,
    users: FakeUsersBackend,
    password: str,
    new_password: str,
    repeated: str,
    field: str,
    words: str,
) -> None:
    """The form is shown again with status 200, and the reason at the field that it is about."""
    page = change(bruce, password, new_password, repeated)

    assert page.status == 200
    assert f'id="{field}-problem" role="alert">{words}<' in page.text
    assert users.passwords == {}


def test_passwords_are_never_in_a_page(bruce: Browser) -> None:
    """A refused form comes back without what was typed into it."""
    page = change(bruce, "a wrong one", NEW)

    assert "a wrong one" not in page.text
    assert NEW not in page.text


def test_too_many_attempts_say_how_long_to_wait(bruce: Browser, users: FakeUsersBackend) -> None:
    """429 of the backend is shown in words, with the time."""
    users.fault = lambda handler, _: handler.reply(Reply(429, {}, LIMIT | {"Retry-After": "180"}))

    page = change(bruce, "bruce", NEW)

    assert (page.status, page.headers["Retry-After"]) == (429, "180")
    assert "Too many attempts. Please try again in 3 minutes." in page.words


def test_backend_that_is_away_is_said_in_the_form(bruce: Browser, users: FakeUsersBackend) -> None:
    """Without the Users Backend the form says that this is not possible now."""
    form = bruce.get("/account/password/").form("/account/password/")
    users.stop()

    page = bruce.send(form, password="bruce", new_password=NEW, repeated=NEW)

    assert page.status == 503
    assert "This is not possible at the moment." in page.words


def test_session_that_ended_leads_to_the_login_page(
    bruce: Browser, users: FakeUsersBackend
) -> None:
    """When the backend no longer accepts the token, the user is asked to log in."""
    users.fault = lambda handler, _: handler.reply(Reply(401, {}))

    page = change(bruce, "bruce", NEW)

    assert page.form("/login/").fields["next"] == "/account/password/"
    assert "mythoughts_session" not in bruce.cookies
