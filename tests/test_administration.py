"""What admins do on the pages: users, everybody's thoughts and the audit log."""

import re

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import PHONE, Browsing, log_in, violations
from testkit.system import System, User, unique
from testkit.thoughts import share as share_by_api

pytestmark = pytest.mark.browser

PAGES = ("/admin/", "/admin/users/", "/admin/users/new", "/admin/thoughts/", "/admin/audit/")
ADMINS_PAGES = (*PAGES[1:], "/admin/users/{user_id}/", "/admin/users/{user_id}/delete")


@pytest.fixture
def admin(system: System) -> User:
    """An admin of this test's own, so that nothing that it does to itself hurts others."""
    made = system.new_user(unique("Admin"))
    answer = system.users(system.admin).request(
        "PATCH", f"/admin/users/{made.id}/", json={"is_admin": True}
    )
    assert answer.status == 200, answer.text
    token = system.log_in(made.username, made.password)
    return User(made.id, made.username, made.password, token)


@pytest.fixture
def admin_page(browsing: Browsing, admin: User) -> Page:
    """A window of the admin."""
    return browsing.new_page(admin)


def open_user(page: Page, user: User) -> None:
    """Find a user by a part of the name, in another case, and open the user's page."""
    page.goto("/admin/users/")
    page.get_by_label("Part of the name").fill(user.username[2:].upper())
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=user.username).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(user.username)


def press(page: Page, button: str, notice: str) -> None:
    """Press a button of a user's page; the next page has the notice."""
    page.get_by_role("main").get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_have_text(notice)


@pytest.mark.parametrize("path", PAGES)
def test_users_see_no_page_of_admins(browsing: Browsing, user: User, path: str) -> None:
    """A user gets 403 on each of these pages."""
    answer = browsing.new_page(user).goto(path)

    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize("path", PAGES)
def test_nobody_is_led_to_the_login(page: Page, path: str) -> None:
    """Who is not logged in gets the login page."""
    page.goto(path)

    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_created_user_chooses_a_password(
    browsing: Browsing, admin_page: Page, system: System
) -> None:
    """The temporary password logs in once, and only to choose another."""
    name = unique("Mei")
    admin_page.goto("/admin/users/")
    admin_page.get_by_role("link", name="Create a user").click()
    admin_page.get_by_label("Name").fill(name)
    admin_page.get_by_role("button", name="Create").click()
    password = admin_page.locator("code").inner_text()

    theirs, chosen = browsing.new_page(), unique("chosen")
    theirs.goto("/login/")
    log_in(theirs, name, password)
    theirs.get_by_label("Current password").fill(password)
    theirs.get_by_label("New password", exact=True).fill(chosen)
    theirs.get_by_label("New password again").fill(chosen)
    theirs.get_by_role("button", name="Save and log in").click()

    expect(theirs.get_by_label(f"What is on your mind, {name}?")).to_be_visible()
    assert system.log_in(name, chosen)
    body = {"username": name, "password": password}
    assert system.users().post("/api/login/", json=body).status == 401


def test_taken_name_is_explained(admin_page: Page, user: User) -> None:
    """A name that is taken leaves the form as it was, with the reason."""
    admin_page.goto("/admin/users/new")
    admin_page.get_by_label("Name").fill(user.username)
    admin_page.get_by_role("button", name="Create").click()

    expect(admin_page.get_by_role("alert")).to_contain_text("taken")
    expect(admin_page.get_by_label("Name")).to_have_value(user.username)


def test_reset_password_ends_the_old_one(admin_page: Page, system: System, user: User) -> None:
    """After a reset the old password and the earlier sessions are useless."""
    open_user(admin_page, user)
    admin_page.get_by_role("button", name="Reset the password").click()

    expect(admin_page.locator("code")).to_be_visible()
    body = {"username": user.username, "password": user.password}
    assert system.users().post("/api/login/", json=body).status == 401
    assert system.users(user).get("/api/me/").status == 401


def test_disabled_user_is_out_until_enabled(admin_page: Page, system: System, user: User) -> None:
    """Disabling ends the sessions and refuses logins; enabling admits the user again."""
    body = {"username": user.username, "password": user.password}
    open_user(admin_page, user)
    press(admin_page, "Disable", "The account is disabled and all its sessions have ended.")
    assert system.users(user).get("/api/me/").status == 401
    assert system.users().post("/api/login/", json=body).status == 401

    press(admin_page, "Enable", "The account is enabled.")

    assert system.users().post("/api/login/", json=body).status == 200


def test_admin_is_made_and_unmade(admin_page: Page, system: System, user: User) -> None:
    """A user becomes an admin and a plain user again."""
    open_user(admin_page, user)
    press(admin_page, "Give admin rights", "The user is an admin now and has to log in again.")
    token = system.log_in(user.username, user.password)
    assert system.users().get("/admin/users/", token=token).status == 200

    press(admin_page, "Remove admin rights", "The user is no longer an admin.")

    assert system.users().get("/admin/users/", token=token).status == 401


def test_sessions_of_a_user_end(admin_page: Page, system: System, user: User) -> None:
    """An admin ends all sessions of a user, who can log in again."""
    open_user(admin_page, user)
    press(admin_page, "End all sessions", "All sessions of the user have ended.")

    assert system.users(user).get("/api/me/").status == 401
    assert system.log_in(user.username, user.password)


def test_deleting_a_user_asks_first(admin_page: Page, system: System, user: User) -> None:
    """The user is there until the deletion is confirmed."""
    open_user(admin_page, user)
    admin_page.get_by_role("link", name="Delete this user").click()
    assert system.users(user).get("/api/me/").status == 200

    press(admin_page, "Delete", "The user has been deleted.")

    assert system.users(user).get("/api/me/").status == 401


def test_admin_deletes_anybodys_thought(admin_page: Page, system: System, user: User) -> None:
    """The newest thoughts of all are listed, each with a way to delete it, which is audited."""
    text = unique("Not for here")
    thought_id = share_by_api(system.thoughts(user), text)
    admin_page.goto("/admin/thoughts/")
    card = admin_page.get_by_role("article").filter(has_text=text)
    card.get_by_role("link", name="Delete").click()
    press(admin_page, "Delete", "The thought has been deleted.")

    assert system.thoughts().get(f"/api/thoughts/{thought_id}/").status == 404
    admin_page.goto("/admin/audit/?of=thoughts")
    expect(admin_page.get_by_role("main")).to_contain_text(str(thought_id))


def test_audit_log_says_what_happened(admin_page: Page, system: System, user: User) -> None:
    """A failed login is in the log, with the name that was typed and the address."""
    body = {"username": user.username, "password": "wrong"}
    assert system.users().post("/api/login/", json=body).status == 401

    admin_page.goto("/admin/audit/")

    entry = admin_page.get_by_role("listitem").filter(has_text=user.username)
    expect(entry.filter(has_text="Login failed")).to_have_count(1)
    expect(entry.first).to_contain_text(re.compile(r"From: [0-9a-f.:]{7,}"))


@pytest.mark.parametrize("path", ADMINS_PAGES)
def test_axe_finds_nothing(browsing: Browsing, admin: User, user: User, path: str) -> None:
    """No page of admins has a fault that axe-core knows, nor is it wider than a phone."""
    page = browsing.new_page(admin, size=PHONE)
    page.goto(path.format(user_id=user.id))

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []


def test_everything_works_without_scripts(browsing: Browsing, admin: User, user: User) -> None:
    """A user is found and disabled by a browser that runs no scripts."""
    page = browsing.new_page(admin, java_script_enabled=False)

    open_user(page, user)
    press(page, "Disable", "The account is disabled and all its sessions have ended.")
