"""One's own account in a real browser: password, sessions, export, deletion."""

import csv
import io
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import Browsing, log_in
from testkit.system import System, User
from testkit.thoughts import share

pytestmark = pytest.mark.browser

NEW = "be water, my friend"


def open_account(page: Page, link: str) -> None:
    """Go to a page of the account, from the bar."""
    page.get_by_role("link", name="Account", exact=True).click()
    page.get_by_role("main").get_by_role("link", name=link).click()


def change_password(page: Page, password: str) -> None:
    """Change the password to NEW, on the page for it."""
    page.get_by_label("Current password").fill(password)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("main").get_by_role("button", name="Change the password").click()


def delete_everything(page: Page, password: str) -> None:
    """Fill in the form that deletes the account, and send it."""
    page.get_by_label("Current password").fill(password)
    page.get_by_role("button", name="Delete everything").click()


def test_changed_password_ends_the_other_sessions(
    browsing: Browsing, system: System, user: User
) -> None:
    """After a change of the password this browser stays logged in, and the new one is needed."""
    other = system.log_in(user.username, user.password)
    page = browsing.new_page(java_script_enabled=False)
    page.goto("/login/")
    log_in(page, user.username, user.password)

    open_account(page, "Change the password")
    change_password(page, user.password)

    expect(page.get_by_text("You are now logged out everywhere else.")).to_be_visible()
    assert system.users().get("/api/me/", token=other).status == 401
    assert system.log_in(user.username, NEW)
    page.goto("/")
    expect(page.get_by_label("What is on your mind")).to_be_visible()


def test_common_password_is_refused_in_words(user_page: Page, user: User) -> None:
    """The backend's reason stands at the field, in the page's words."""
    open_account(user_page, "Change the password")
    user_page.get_by_label("Current password").fill(user.password)
    user_page.get_by_label("New password", exact=True).fill("password1")
    user_page.get_by_label("New password again").fill("password1")
    user_page.get_by_role("main").get_by_role("button", name="Change the password").click()

    alert = user_page.get_by_role("alert")
    expect(alert).to_have_text(
        "This is little more than a common password, which is easy to guess."
    )


def test_session_of_another_browser_is_ended(
    browsing: Browsing, system: System, user: User
) -> None:
    """One sees where one is logged in, and ends one session: it is refused at once."""
    other = system.log_in(user.username, user.password)
    page = browsing.new_page(user, java_script_enabled=False)
    page.goto("/")

    open_account(page, "Sessions")
    expect(page.get_by_text("This browser")).to_have_count(1)
    page.get_by_role("button", name="End the session").first.click()

    expect(page.get_by_text("The session has ended.")).to_be_visible()
    assert system.users().get("/api/me/", token=other).status == 401
    assert system.users(user).get("/api/me/").status == 200


def test_all_other_sessions_are_ended(browsing: Browsing, system: System, user: User) -> None:
    """All other sessions end at once; this one stays."""
    others = [system.log_in(user.username, user.password) for _ in range(3)]
    page = browsing.new_page(user, java_script_enabled=False)
    page.goto("/account/sessions/")

    page.get_by_role("button", name="End all other sessions").click()

    expect(page.get_by_text("All other sessions have ended.")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    assert {system.users().get("/api/me/", token=token).status for token in others} == {401}


def test_thoughts_are_exported(user_page: Page, system: System, user: User, tmp_path: Path) -> None:
    """Both files are downloaded, and have all thoughts."""
    texts = ["=1+1", "Two\nlines", "雨"]
    for text in texts:
        share(system.thoughts(user), text)
    open_account(user_page, "Export your thoughts")

    exported = [download(user_page, link, tmp_path) for link in ("JSON", "Table (CSV)")]

    assert [thought["text"] for thought in reversed(json.loads(exported[0]))] == texts
    rows = list(csv.DictReader(io.StringIO(exported[1].removeprefix("\ufeff"), newline="")))
    assert [row["text"] for row in reversed(rows)] == ["'=1+1", "Two\nlines", "雨"]


def download(page: Page, link: str, folder: Path) -> str:
    """Click a link, and return the file that it leads to."""
    with page.expect_download() as expected:
        page.get_by_role("link", name=link).click()
    path = folder / expected.value.suggested_filename
    expected.value.save_as(path)
    return path.read_bytes().decode()


def test_account_is_deleted_with_its_thoughts(
    browsing: Browsing, system: System, user: User
) -> None:
    """Nothing of a deleted account is left, and its owner cannot log in any more."""
    share(system.thoughts(user), "Rain")
    page = browsing.new_page(user, java_script_enabled=False)
    page.goto("/")

    open_account(page, "Delete the account")
    delete_everything(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("The current password is wrong.")
    assert len(thoughts_of(system, user)) == 1
    delete_everything(page, user.password)

    expect(
        page.get_by_text("Your account and all your thoughts have been deleted.")
    ).to_be_visible()
    assert thoughts_of(system, user) == []
    log_in(page, user.username, user.password)
    expect(page.get_by_role("alert")).to_contain_text("Invalid login/password")


def thoughts_of(system: System, user: User) -> list[object]:
    """What everybody sees of the user's thoughts."""
    query = urlencode({"username": user.username})
    return list(system.thoughts().get(f"/api/thoughts/?{query}").json())
