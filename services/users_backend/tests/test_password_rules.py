"""Which new passwords are refused because they are guessed first."""

import pytest

from mythoughts_chassis.problems import BadInput
from mythoughts_chassis.settings import Secret
from users_backend.password_rules import COMMON, OF_NAMES, check_new_password


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
        "iloveyou",
        "football",
        "1qaz2wsx3edc",
        "!qaz1qaz",
        # The last one, in alphabetical order.
        "zzzzzzzzzz",
    ],
)
def test_common_passwords_are_refused(password: str) -> None:
    """A password of the list is refused, in any case and form, also the first and the last."""
    assert fault(password) == COMMON


@pytest.mark.parametrize(
    ("password", "username"),
    [
        ("brucele3", "Bruce Lee"),
        ("BruceLee!", "Bruce Lee"),
        ("bruce-2026", "Bruce Lee"),
        ("1234bruce5678", "Bruce Lee"),
        ("bruce8492017365", "bruce"),
        ("xBrucex1!", "bruce"),
        ("Bruc3L33", "Bruce Lee"),
        ("$te4en l!ng", "Steaen Ling"),
        ("ecurbecurb", "bruce"),
        ("leebruceleebruce", "Bruce Lee"),
        ("ＢＲＵＣＥ２０２６", "bruce"),
        ("MyThoughts", "bruce"),
        ("my thoughts!", "bruce"),
        ("myth0ughts2026", "bruce"),
        ("bruce@mythoughts", "bruce"),
        ("小明小明小明小明", "小明"),
        ("小明12345678", "小明"),
        ("дмитрий1", "Дмитрий"),
    ],
)
def test_passwords_of_names_are_refused(password: str, username: str) -> None:
    """The user's or the site's name with little added is refused, also turned or with signs."""
    assert fault(password, username) == OF_NAMES


@pytest.mark.parametrize(
    "password",
    [
        "be water, my friend",
        "correct horse battery",
        "bruce and the seven samurai",
        "my thoughts are free",
        "84920173",
        "!?!?!?!?",
        "        ",
        "我的密码很长很长",
        "👩\u200d🚀👩\u200d🚀👩\u200d🚀",
        "x7#kq9!m",
        "x" * 128,
    ],
)
def test_other_passwords_are_accepted(password: str) -> None:
    """Any characters make a good password, whichever kinds there are among them."""
    assert fault(password) is None


@pytest.mark.parametrize("username", ["e", "al", "x", "Ünal Çağrı Şahin"])
def test_short_names_refuse_nothing_by_chance(username: str) -> None:
    """A name of one or two letters, which is in many words, refuses none of them."""
    assert fault("a beetle lives here all along", username) is None
