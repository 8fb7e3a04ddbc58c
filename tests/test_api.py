"""The two backends together, as their API clients use them."""

from concurrent.futures import ThreadPoolExecutor

from testkit.http_client import HttpClient, patiently
from testkit.system import System, User, unique
from testkit.thoughts import all_thoughts, pages_of, share

CLIENTS = 20
# Fewer than a user may share in a minute.
THOUGHTS_A_CLIENT = 50


def test_what_a_user_shares_is_everybodys_to_read(system: System, user: User) -> None:
    """A thought shared with a token of the Users Backend is read by anybody, as its user's."""
    text = unique("Rain on the roof")

    thought_id = share(system.thoughts(user), text)

    thought = system.thoughts().get(f"/api/thoughts/{thought_id}/").json()
    assert (thought["username"], thought["text"]) == (user.username, text)


def test_shared_thought_is_found_by_search(system: System, user: User) -> None:
    """Anybody finds a thought by a part of its text, in any case and script."""
    text = unique("Heute GRÜSST das 雨天")
    share(system.thoughts(user), text)

    words = text.removeprefix("Heute ").lower()
    found = system.thoughts().get("/api/thoughts/", query={"search": words}).json()

    assert [thought["text"] for thought in found] == [text]


def test_pages_lead_on_to_every_thought(system: System, user: User) -> None:
    """The Link headers of a search lead through all that it found, newest first, each once."""
    words = unique("walk")
    ids = [share(system.thoughts(user), f"{words} {number}") for number in range(5)]
    path = f"/api/thoughts/?limit=2&search={words.replace(' ', '+')}"

    pages = list(pages_of(system.thoughts(), path))

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [thought["id"] for page in pages for thought in page] == ids[::-1]


def test_deleted_thought_is_gone_for_everybody(system: System, user: User) -> None:
    """After its author deleted it, a thought is neither read nor found."""
    text = unique("Not what I meant")
    thought_id = share(system.thoughts(user), text)

    deletion = system.thoughts(user).delete(f"/api/me/thoughts/{thought_id}/")

    anybody = system.thoughts()
    assert deletion.status == 204
    assert anybody.get(f"/api/thoughts/{thought_id}/").status == 404
    assert anybody.get("/api/thoughts/", query={"search": text}).json() == []


def test_nobody_deletes_anothers_thought(system: System, user: User) -> None:
    """A thought stays when another user tries to delete it."""
    thought_id = share(system.thoughts(user), unique("Mine"))

    attempt = system.thoughts(system.new_user()).delete(f"/api/me/thoughts/{thought_id}/")

    assert attempt.status == 404
    assert system.thoughts().get(f"/api/thoughts/{thought_id}/").status == 200


def test_admin_deletes_anybodys_thought(system: System, user: User) -> None:
    """The token of an admin, signed by the Users Backend, counts as one in the Thoughts Backend."""
    thought_id = share(system.thoughts(user), unique("Spam"))

    deletion = system.thoughts(system.admin).delete(f"/admin/thoughts/{thought_id}/")

    assert deletion.status == 204
    assert system.thoughts().get(f"/api/thoughts/{thought_id}/").status == 404


def test_user_is_no_admin(system: System, user: User) -> None:
    """Neither backend lets a user do what is for admins."""
    thought_id = share(system.thoughts(user), unique("Still here"))

    attempts = [
        system.thoughts(user).delete(f"/admin/thoughts/{thought_id}/"),
        system.users(user).get("/admin/users/"),
        system.users(user).delete(f"/admin/users/{user.id}/"),
    ]

    assert [attempt.status for attempt in attempts] == [403, 403, 403]


def test_user_whom_an_admin_made_shares(system: System) -> None:
    """Who has been made by an admin, with a name in any script, logs in and shares."""
    user = system.new_user(unique("Zoë 小雨"))

    thought_id = share(system.thoughts(user), unique("First"))

    thought = system.thoughts().get(f"/api/thoughts/{thought_id}/").json()
    assert thought["username"] == user.username


def test_deleted_user_logs_in_no_more(system: System, user: User) -> None:
    """A user whom an admin deleted is refused, and nobody is ever given the name."""
    admin = system.users(system.admin)
    credentials = {"username": user.username, "password": user.password}

    deletion = admin.delete(f"/admin/users/{user.id}/")

    assert deletion.status == 204
    assert system.users().post("/api/login/", json=credentials).status == 401
    assert admin.post("/admin/users/", json=credentials).status == 409


def test_thoughts_of_a_deleted_user_stay(system: System, user: User) -> None:
    """What somebody shared outlives the account."""
    thought_id = share(system.thoughts(user), unique("I was here"))

    system.users(system.admin).delete(f"/admin/users/{user.id}/")

    assert system.thoughts().get(f"/api/thoughts/{thought_id}/").status == 200


def test_twenty_clients_at_once_lose_nothing(system: System) -> None:
    """Of 1,000 thoughts that twenty users share at once, the pages list each, once."""
    mark = unique("crowd")
    admin_made = [system.new_user() for _ in range(CLIENTS)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        shared = list(pool.map(lambda user: _share_many(system.thoughts(user), mark), admin_made))

    ids = sorted(thought_id for some in shared for thought_id in some)
    path = f"/api/thoughts/?limit=100&search={mark.replace(' ', '+')}"
    listed = [thought["id"] for thought in all_thoughts(system.thoughts(), path)]
    assert len(set(ids)) == CLIENTS * THOUGHTS_A_CLIENT
    assert listed == ids[::-1]


def _share_many(client: HttpClient, mark: str) -> list[int]:
    ids = []
    for number in range(THOUGHTS_A_CLIENT):
        body, key = {"text": f"{mark} {number}"}, {"Idempotency-Key": f"crowd-{number}"}
        answer = patiently(client.post, "/api/me/thoughts/", json=body, headers=key)
        assert answer.status == 201, answer.text
        ids.append(int(answer.json()["id"]))
    return ids
