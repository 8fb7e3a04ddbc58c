"""What people see when a part behind the pages is down, and when it is back."""

import pytest
from playwright.sync_api import Page, Response, expect

from testkit.browsing import (
    Browsing,
    expect_thoughts,
    log_in,
    press_share,
    search,
    share,
    violations,
    write,
)
from testkit.installations import Installation
from testkit.system import System, User
from testkit.thoughts import own_texts
from testkit.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.faults]


@pytest.fixture
def own_user(own_system: System) -> User:
    """A new user of `installation`'s system."""
    return own_system.new_user()


@pytest.fixture
def own_page(own_browsing: Browsing, own_user: User) -> Page:
    """A window of that user, on their own thoughts."""
    page = own_browsing.new_page(own_user)
    page.goto("/")
    return page


def status_of(answer: Response | None) -> int:
    """The status of the answer that a window shows."""
    assert answer is not None
    return answer.status


def status_after_sharing(page: Page) -> int:
    """Press Share; the status of the page that comes."""
    with page.expect_navigation() as navigation:
        press_share(page)
    return status_of(navigation.value)


def share_when_possible(page: Page) -> None:
    """Press Share again and again until the text is shared."""
    wait_until(lambda: status_after_sharing(page) == 200, what="the text is shared")
    expect(page.get_by_text("Your thought has been shared.")).to_be_visible()


def test_own_page_without_thoughts_backend(
    installation: Installation, own_page: Page, own_user: User
) -> None:
    """The page says that thoughts cannot be shown, still has the form, and nobody is logged out."""
    installation.stop("thoughts")

    answer = own_page.goto("/")

    assert status_of(answer) == 503
    expect(own_page.get_by_role("alert")).to_contain_text("cannot be shown at the moment")
    expect(own_page.get_by_label(f"What is on your mind, {own_user.username}?")).to_be_visible()
    assert violations(own_page) == []


def test_own_page_recovers(installation: Installation, own_page: Page) -> None:
    """When the Thoughts Backend is back, so are the thoughts, without anybody's doing."""
    share(own_page, "Still here")
    installation.stop("thoughts")
    for _ in range(4):  # Often enough that the Frontend gives up asking for a while.
        own_page.goto("/")

    installation.restart("thoughts")

    wait_until(lambda: status_of(own_page.goto("/")) == 200, what="the page is complete")
    expect_thoughts(own_page, ["Still here"])


def test_search_without_thoughts_backend(installation: Installation, own_page: Page) -> None:
    """The page says that searching is not possible, and the words stay in the box."""
    installation.stop("thoughts")

    with own_page.expect_navigation() as navigation:
        search(own_page, "herons")

    assert status_of(navigation.value) == 503
    expect(own_page.get_by_role("alert")).to_contain_text("cannot be searched at the moment")
    expect(own_page.get_by_role("searchbox")).to_have_value("herons")
    assert violations(own_page) == []


def test_delete_without_thoughts_backend(installation: Installation, own_page: Page) -> None:
    """Deleting says that it is not possible now, and the thought is not half gone."""
    share(own_page, "Not yet")
    own_page.get_by_role("link", name="Delete").click()
    installation.stop("thoughts")

    with own_page.expect_navigation() as navigation:
        own_page.get_by_role("button", name="Delete").click()

    assert status_of(navigation.value) == 503
    expect(own_page.get_by_role("heading", name="Temporarily unavailable")).to_be_visible()
    assert violations(own_page) == []


def test_sharing_without_thoughts_backend(
    installation: Installation, own_page: Page, own_system: System, own_user: User
) -> None:
    """The text stays in the form; shared again when the backend is back, it is there once."""
    write(own_page, "Through\nthe storm")
    installation.stop("thoughts")

    status = status_after_sharing(own_page)

    assert status == 503
    expect(own_page.get_by_role("alert")).to_contain_text("Your text is still here")
    expect(own_page.get_by_label("What is on your mind")).to_have_value("Through\nthe storm")
    installation.restart("thoughts")
    share_when_possible(own_page)
    assert own_texts(own_system.thoughts(own_user)) == ["Through\nthe storm"]


def test_sharing_without_the_database(
    installation: Installation, own_page: Page, own_system: System, own_user: User
) -> None:
    """With PostgreSQL away it is the same: the text stays, and is shared once in the end."""
    write(own_page, "Kept safe")
    installation.stop_database()

    status = status_after_sharing(own_page)

    assert status == 503
    expect(own_page.get_by_label("What is on your mind")).to_have_value("Kept safe")
    installation.start_database()
    share_when_possible(own_page)
    assert own_texts(own_system.thoughts(own_user)) == ["Kept safe"]


def test_login_without_users_backend(
    installation: Installation, own_browsing: Browsing, own_user: User
) -> None:
    """The login page says that it is not possible now, keeps the name, and works again later."""
    page = own_browsing.new_page()
    page.goto("/login/")
    installation.stop("users")

    with page.expect_navigation() as navigation:
        log_in(page, own_user.username, own_user.password)

    assert status_of(navigation.value) == 503
    expect(page.get_by_role("alert")).to_contain_text("You cannot log in at the moment")
    expect(page.get_by_label("Name")).to_have_value(own_user.username)
    assert violations(page) == []


def test_login_recovers(installation: Installation, own_browsing: Browsing, own_user: User) -> None:
    """When the Users Backend is back, logging in works again."""
    page = own_browsing.new_page()
    page.goto("/login/")
    installation.stop("users")
    log_in(page, own_user.username, own_user.password)
    expect(page.get_by_role("alert")).to_be_visible()

    installation.restart("users")

    def log_in_again() -> bool:
        with page.expect_navigation() as navigation:
            log_in(page, own_user.username, own_user.password)
        return status_of(navigation.value) == 200

    wait_until(log_in_again, what="logging in works")
    expect(page.get_by_label("What is on your mind")).to_be_visible()


def test_sharing_without_users_backend(installation: Installation, own_page: Page) -> None:
    """Users who are logged in can share and read with the Users Backend stopped."""
    installation.stop("users")

    share(own_page, "Nothing noticed")

    expect_thoughts(own_page, ["Nothing noticed"])


def test_text_is_kept_when_logging_in_again_fails(
    installation: Installation, own_page: Page, own_user: User
) -> None:
    """A text that waits for logging in again is kept while the Users Backend is away."""
    write(own_page, "Patience")
    own_page.context.clear_cookies(name="mythoughts_session")
    press_share(own_page)
    installation.stop("users")

    log_in(own_page, own_user.username, own_user.password)

    expect(own_page.get_by_role("alert")).to_contain_text("You cannot log in")
    expect(own_page.get_by_role("blockquote")).to_have_text("Patience")


def test_form_survives_a_restart_of_the_frontend(
    installation: Installation, own_page: Page
) -> None:
    """A form that was open while the Frontend restarted is good, and nobody is logged out."""
    write(own_page, "Before and after")

    installation.restart("frontend")
    press_share(own_page)

    expect_thoughts(own_page, ["Before and after"])
