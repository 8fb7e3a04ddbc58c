"""Which new passwords are refused because they are easy to guess."""

from time import thread_time

import pytest

from mythoughts_chassis.problems import BadInput
from mythoughts_chassis.settings import Secret
from users_backend.password_rules import COMMON, EASY, OF_NAMES, check_new_password


def fault(password: str, username: str = "Bruce Lee") -> str | None:
    """What is wrong with the password."""
    try:
        check_new_password(Secret(password), username)
    except BadInput as problem:
        (error,) = problem.errors
        return error.detail
    return None


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "12345678",
        "qwertyuiop",
        "PassWord",
        "ｐａｓｓｗｏｒｄ",
        "P@ssw0rd",
        "drowssap",
        "Password123!",
        "iloveyou",
        "1qaz2wsx3edc",
        "password" * 16,
    ],
)
def test_common_passwords_are_refused(password: str) -> None:
    """A common password with little added is refused: in any case, turned, repeated, with signs."""
    assert fault(password) == COMMON


@pytest.mark.parametrize(
    ("password", "username"),
    [
        ("brucele3", "Bruce Lee"),
        ("BruceLee!", "Bruce Lee"),
        ("bruce2026", "Bruce Lee"),
        ("Bruc3L33", "Bruce Lee"),
        ("$te4en l!ng", "Steaen Ling"),
        ("ecurbecurb", "bruce"),
        ("leebruceleebruce", "Bruce Lee"),
        ("ＢＲＵＣＥ２０２６", "bruce"),
        ("bruce2026", "ｂｒｕｃｅ"),
        ("MyThoughts", "bruce"),
        ("my thoughts!", "bruce"),
        ("myth0ughts2026", "bruce"),
        ("小明小明小明小明", "小明"),
        ("小明12345678", "小明"),
        ("дмитрий1", "Дмитрий"),
        ("Bartholomew Fortescue-Smythe1", "Bartholomew Fortescue-Smythe"),
    ],
)
def test_passwords_of_names_are_refused(password: str, username: str) -> None:
    """The user's or the site's name with little added is refused, also turned or with signs."""
    assert fault(password, username) == OF_NAMES


@pytest.mark.parametrize(
    "password", ["        ", "!?!?!?!?", "20261126", "x" * 128, "密码密码密码密码"]
)
def test_repetitions_and_dates_are_refused(password: str) -> None:
    """A password with few possibilities is refused, however long, even if no list contains it."""
    assert fault(password) == EASY


@pytest.mark.parametrize(
    "password",
    [
        "be water, my friend",
        "correct horse battery",
        "bruce and the seven samurai",
        "my thoughts are free",
        "84920173",
        "我的密码很长很长",
        "x7#kq9!m",
        "x7#kq9!m 09/1.\n2",
        "98920\n09/1.\t2\t\t1",
        "password" * 15 + "x7#kq9!m",
    ],
)
def test_other_passwords_are_accepted(password: str) -> None:
    """Any characters make a good password, whichever kinds there are among them."""
    assert fault(password) is None


@pytest.mark.parametrize("username", ["e", "al", "x", "Ünal Çağrı Şahin"])
def test_short_names_refuse_nothing_by_chance(username: str) -> None:
    """A name of one or two letters, which is in many words, refuses none of them."""
    assert fault("a beetle lives here all along", username) is None


def test_no_password_takes_long_to_rate() -> None:
    """Signs that stand for letters in many ways take a fraction of the 7 s of one rating."""
    fault("warm up")
    start = thread_time()

    fault(("4@8({[</369&#!1|0$5+7%2" * 6)[:128])

    assert thread_time() - start < 2
