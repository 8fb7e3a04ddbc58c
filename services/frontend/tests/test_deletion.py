"""Deleting one's own account."""

import pytest

from testkit.browser import Browser, Page
from testkit.fake_backend import Call, FakeThoughtsBackend, FakeUsersBackend, Fault, Handler, Reply

PATH = "/account/delete/"


def delete(browser: Browser, password: str = "bruce") -> Page:
    """Fill in the form and send it."""
    return browser.send(browser.get(PATH).form(PATH), password=password)


def test_deletion_needs_a_login(browser: Browser) -> None:
    """Visitors who are not logged in get the login page."""
    assert browser.get(PATH).form("/login/").fields["next"] == PATH


def test_page_says_what_goes(bruce: Browser, users: FakeUsersBackend) -> None:
    """GET deletes nothing, says what would go, and offers the export."""
    page = bruce.get(bruce.get("/account/").link("Delete the account"))

    assert "Your account and all your thoughts are deleted" in page.words
    assert page.link("Export your thoughts") == "/account/export/"
    assert users.calls == []


def test_account_is_deleted_with_its_thoughts(
    bruce: Browser, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """With the right password everything goes, in both backends, and the login ends."""
    thoughts.add("bruce", "Rain")
    thoughts.add("stephen", "Sun")

    page = delete(bruce)

    assert [thought["text"] for thought in thoughts.thoughts] == ["Sun"]
    assert users.deleted == {"bruce"}
    assert "Your account and all your thoughts have been deleted." in page.words
    assert "mythoughts_session" not in bruce.cookies


def test_wrong_password_deletes_nothing(
    bruce: Browser, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """With a wrong password nothing goes, in neither backend."""
    thoughts.add("bruce", "Rain")

    page = delete(bruce, "wrong")

    assert "The current password is wrong." in page.words
    assert len(thoughts.thoughts) == 1
    assert users.deleted == set()


def test_last_admin_stays(
    bruce: Browser, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """When the Users Backend refuses the deletion, the thoughts stay as well."""
    thoughts.add("bruce", "Rain")
    detail = "This is the last admin who can log in. Make somebody else an admin first."
    users.fault = lambda handler, _: handler.reply(Reply(409, {"detail": detail}))

    page = delete(bruce)

    assert detail in page.words
    assert len(thoughts.thoughts) == 1


@pytest.mark.parametrize("backend", ["thoughts", "users"])
def test_fault_in_the_middle_can_be_repeated(
    bruce: Browser, thoughts: FakeThoughtsBackend, users: FakeUsersBackend, backend: str
) -> None:
    """When a backend fails after the check, the page says so, and a repetition is complete."""
    thoughts.add("bruce", "Rain")
    if backend == "thoughts":
        thoughts.fault = lambda handler, _: handler.reply(Reply(503))
    else:
        users.fault = _only_check(users)

    page = delete(bruce)
    thoughts.fault = users.fault = None
    again = bruce.send(page.form(PATH), password="bruce")

    assert page.status == 503
    assert "Not everything could be deleted." in page.words
    assert thoughts.thoughts == []
    assert users.deleted == {"bruce"}
    assert "have been deleted." in again.words


def _only_check(users: FakeUsersBackend) -> Fault:
    def answer(handler: Handler, call: Call) -> None:
        handler.reply(users.answer(call) if call.body["dry_run"] else Reply(503))

    return answer
