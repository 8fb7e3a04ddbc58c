"""The first login with a temporary password."""

from testkit.browser import Browser, Page
from testkit.fake_backend import FakeUsersBackend

PATH = "/login/password/"
NEW = "be water, my friend"


def first_login(browser: Browser, users: FakeUsersBackend) -> Page:
    """Log in with a temporary password."""
    users.must_change.add("bruce")
    return browser.log_in("bruce")


def test_temporary_password_must_be_replaced(browser: Browser, users: FakeUsersBackend) -> None:
    """The login leads to a form for a new password; it keeps the name, but no password."""
    page = first_login(browser, users)

    fields = page.form(PATH).fields
    assert "Choose a password of your own" in page.words
    assert fields["username"] == "bruce"
    assert (fields["password"], fields["new_password"], fields["repeated"]) == ("", "", "")
    assert "mythoughts_session" not in browser.cookies


def test_new_password_logs_in(browser: Browser, users: FakeUsersBackend) -> None:
    """With both passwords the user is logged in, and has the new one."""
    form = first_login(browser, users).form(PATH)

    page = browser.send(form, password="bruce", new_password=NEW, repeated=NEW)

    assert users.passwords == {"bruce": NEW}
    assert "What is on your mind, bruce?" in page.words


def test_text_is_kept_until_the_password_is_chosen(bruce: Browser, users: FakeUsersBackend) -> None:
    """A text that waits for the login is in the form after it."""
    composer = bruce.get("/").form("/thoughts/new")
    del bruce.cookies["mythoughts_session"]
    users.must_change.add("bruce")
    login = bruce.send(composer, text="Rain").form("/login/")
    form = bruce.send(login, username="bruce", password="bruce").form(PATH)

    page = bruce.send(form, password="bruce", new_password=NEW, repeated=NEW)

    assert page.form("/thoughts/new").fields["text"] == "Rain"


def test_bad_new_password_has_its_reason(browser: Browser, users: FakeUsersBackend) -> None:
    """The reason why the new password is refused stands at its field."""
    form = first_login(browser, users).form(PATH)

    page = browser.send(form, password="bruce", new_password="short", repeated="short")

    assert 'id="new_password-problem" role="alert">At least 8 characters.<' in page.text


def test_wrong_temporary_password_is_refused(browser: Browser, users: FakeUsersBackend) -> None:
    """A wrong name or password gets the same words as at the login page."""
    form = first_login(browser, users).form(PATH)

    page = browser.send(form, password="wrong", new_password=NEW, repeated=NEW)

    assert "Invalid login/password, please try again." in page.words
    assert users.passwords == {}


def test_expired_password_is_explained(browser: Browser, users: FakeUsersBackend) -> None:
    """A user who logs in too late learns whom to ask, at the login and at the form after it."""
    form = first_login(browser, users).form(PATH)
    users.expired.add("bruce")

    pages = [
        browser.log_in("bruce"),
        browser.send(form, password="bruce", new_password=NEW, repeated=NEW),
    ]

    for page in pages:
        assert page.status == 200
        assert "This temporary password has expired. Ask an admin for another one." in page.words
    assert "mythoughts_session" not in browser.cookies
