"""Deleting one's own account."""

import pytest

from testkit.browser import Browser, Page
from testkit.fake_backend import (
    LIMIT,
    Call,
    FakeThoughtsBackend,
    FakeUsersBackend,
    Fault,
    Handler,
    Reply,
)

PATH = "/account/delete/"
UNFINISHED = {
    "thoughts": "Not everything could be deleted.",
    "users": "Your thoughts have been deleted, but perhaps not your account.",
}


def delete(browser: Browser, password: str = "bruce") -> Page:
    """Fill in the form and send it."""
    return browser.send(browser.get(PATH).form(PATH), password=password)


def test_deletion_needs_a_login(browser: Browser) -> None:
    """Visitors who are not logged in get the login page."""
    assert browser.get(PATH).form("/login/").fields["next"] == PATH


def test_page_says_what_goes(bruce: Browser, users: FakeUsersBackend) -> None:
    """GET deletes nothing, says what would go, and offers the export."""
    page = bruce.get(bruce.get("/account/").link("Delete the account"))

    assert "Your account and all your thoughts will be deleted permanently." in page.words
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
        users.fault = _after_check(users, Reply(503))

    page = delete(bruce)
    thoughts.fault = users.fault = None
    again = bruce.send(page.form(PATH), password="bruce")

    assert page.status == 503
    assert UNFINISHED[backend] in page.words
    assert thoughts.thoughts == []
    assert users.deleted == {"bruce"}
    assert "have been deleted." in again.words


def _after_check(users: FakeUsersBackend, reply: Reply) -> Fault:
    def answer(handler: Handler, call: Call) -> None:
        handler.reply(users.answer(call) if call.body["dry_run"] else reply)

    return answer


def test_without_the_users_backend_nothing_is_deleted(
    bruce: Browser, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """When the password cannot be checked, the page does not say that anything is deleted."""
    thoughts.add("bruce", "Rain")
    users.fault = lambda handler, _: handler.reply(Reply(503))

    page = delete(bruce)

    assert page.status == 503
    assert "This is not possible at the moment." in page.words
    assert "deleted." not in page.words
    assert len(thoughts.thoughts) == 1


def test_limit_in_the_middle_is_explained(
    bruce: Browser, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """A user who must wait after the thoughts are gone is told so, and how long."""
    thoughts.add("bruce", "Rain")
    users.fault = _after_check(users, Reply(429, {}, LIMIT | {"Retry-After": "40"}))

    page = delete(bruce)

    assert (page.status, page.headers["Retry-After"]) == (429, "40")
    assert thoughts.thoughts == []
    assert (
        "Your thoughts have been deleted, but not yet your account. Please try again in 40 seconds."
    ) in page.words


def test_deletion_whose_response_is_lost_is_explained(
    bruce: Browser, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """When the user is gone, but the answer never comes, the page says how to find that out."""
    thoughts.add("bruce", "Rain")

    def lose_the_last(handler: Handler, call: Call) -> None:
        reply = users.answer(call)
        handler.reply(reply) if call.body["dry_run"] else handler.send_raw(b"")

    users.fault = lose_the_last

    page = delete(bruce)

    assert page.status == 503
    assert users.deleted == {"bruce"}
    assert "If you can no longer log in, the deletion is complete." in page.words
