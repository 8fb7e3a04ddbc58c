"""The demonstration data of both backends."""

import json
from collections import Counter
from typing import Any

from tooling.project import ROOT
from users_backend.names import enforce, skeletons

SERVICES = ROOT / "services"
USERS: list[dict[str, Any]] = json.loads(
    (SERVICES / "users_backend" / "demo" / "users.json").read_text(encoding="utf-8")
)
THOUGHTS: list[dict[str, Any]] = json.loads(
    (SERVICES / "thoughts_backend" / "demo" / "thoughts.json").read_text(encoding="utf-8")
)


def test_demonstration_users_could_be_created() -> None:
    """The names are valid, and ids and names are unique."""
    names = [user["username"] for user in USERS]

    looks = {skeleton for name in names for skeleton in skeletons(name)}
    assert [enforce(name) for name in names] == names
    assert len(looks) == len({user["id"] for user in USERS}) == 8
    assert {1: "bruce", 2: "stephen"}.items() <= {u["id"]: u["username"] for u in USERS}.items()


def test_demonstration_thoughts_are_of_the_demonstration_users() -> None:
    """Every thought's author is in the users' file, and every user has thoughts."""
    authors = {(thought["user_id"], thought["username"]) for thought in THOUGHTS}

    assert authors == {(user["id"], user["username"]) for user in USERS}


def test_demonstration_thoughts_could_be_shared() -> None:
    """Texts have 1 to 250 characters, are unique and not blank."""
    texts = [thought["text"] for thought in THOUGHTS]

    assert all(text.strip() and len(text) <= 250 for text in texts)
    assert len(set(texts)) == len(texts)


def test_demonstration_thoughts_have_something_for_every_page() -> None:
    """The data includes a second page for bruce, several days, Chinese, line breaks and a link."""
    texts = [thought["text"] for thought in THOUGHTS]
    by_author = Counter(thought["username"] for thought in THOUGHTS)

    assert by_author["bruce"] > 20
    assert by_author["stephen"] >= 8
    assert max(thought["hours_ago"] for thought in THOUGHTS) > 5 * 24
    assert sum("一" <= text[0] <= "鿿" for text in texts) >= 8
    assert any("\n" in text for text in texts)
    assert any("https://example.com/" in text for text in texts)
