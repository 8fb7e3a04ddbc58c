"""Settings from the environment."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from mythoughts_chassis.settings import (
    ApiSettings,
    Secret,
    ServiceSettings,
    SettingsError,
    describe_settings,
    load_settings,
    setting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One setting of each kind."""

    name: str = setting("A name.")
    secret: Secret = setting("A secret.", default=Secret("none"))
    count: int = setting("A count.", default=3, minimum=1, maximum=9)
    share: float = setting("A share.", default=0.5, minimum=0, maximum=1)
    wait_seconds: float = setting("A time.", default=1.0, minimum=0.5)
    level: Literal["low", "middle", "high"] = setting("A level.", default="low")
    names: tuple[str, ...] = setting("Names.", default=())
    folder: Path = setting("A folder.", default=Path("/"))
    strict: bool = setting("Whether.", default=False)


def load(**environment: str) -> Example:
    """Load the example settings with a name."""
    return load_settings(Example, {"NAME": "x", **environment})


def fault(**environment: str) -> str:
    """The error message for an invalid environment."""
    with pytest.raises(SettingsError) as raised:
        load(**environment)
    return str(raised.value)


def test_defaults_hold_where_nothing_is_set() -> None:
    """A setting that is not in the environment has its default."""
    settings = load()

    assert (settings.count, settings.share, settings.level) == (3, 0.5, "low")


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("NAME", "  spaces stay ", "  spaces stay "),
        ("COUNT", "9", 9),
        ("SHARE", "1", 1.0),
        ("SHARE", "1e-3", 0.001),
        ("LEVEL", "high", "high"),
        ("LEVEL", "HIGH", "high"),
        ("LEVEL", " High\t", "high"),
        ("COUNT", " 9 ", 9),
        ("STRICT", "TRUE", True),
        ("STRICT", "False ", False),
        ("FOLDER", "/tmp/a b", Path("/tmp/a b")),
        ("STRICT", "true", True),
        ("STRICT", "0", False),
    ],
)
def test_text_becomes_a_value(variable: str, text: str, expected: object) -> None:
    """Each kind of setting is read from text."""
    assert getattr(load(**{variable: text}), variable.lower()) == expected


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("NAME", ""),
        ("SECRET", ""),
        ("FOLDER", ""),
        ("COUNT", ""),
        ("COUNT", "0"),
        ("COUNT", "10"),
        ("COUNT", "1.5"),
        ("COUNT", "three"),
        ("SHARE", "-0.1"),
        ("SHARE", "nan"),
        ("SHARE", "inf"),
        ("LEVEL", ""),
        ("STRICT", "perhaps"),
    ],
)
def test_bad_text_is_named(variable: str, text: str) -> None:
    """Invalid values are rejected, with the variable's name."""
    assert fault(**{variable: text}).startswith(f"{variable}: ")


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("COUNT", "ten", "must be a whole number from 1 to 9, got 'ten'"),
        ("COUNT", "", "must be a whole number from 1 to 9, got ''"),
        ("SHARE", "2", "must be a number from 0 to 1, got '2'"),
        ("WAIT_SECONDS", "1h", "must be a number of seconds from 0.5, got '1h'"),
        ("LEVEL", "loud", "must be low, middle or high, got 'loud'"),
        ("STRICT", "yes", "must be true or false, got 'yes'"),
        ("NAMES", "a,,b", "must be a list separated by commas, without an empty entry"),
        ("NAME", "", "must not be empty"),
    ],
)
def test_refusal_names_what_is_accepted(variable: str, text: str, expected: str) -> None:
    """The message for an invalid value says what would be valid."""
    assert fault(**{variable: text}) == f"{variable}: {expected}"


def test_all_faults_are_reported_at_once() -> None:
    """One message names every missing or invalid variable, one per line."""
    with pytest.raises(SettingsError) as raised:
        load_settings(Example, {"COUNT": "x", "LEVEL": "y"})

    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == [
        "NAME",
        "COUNT",
        "LEVEL",
    ]


def test_other_variables_are_ignored() -> None:
    """Other variables in the environment are ignored."""
    assert load(PATH="/bin", COUNTS="x").count == 3


def test_setting_can_come_from_a_file(tmp_path: Path) -> None:
    """NAME_FILE names a file; a line break at its end is not part of the value."""
    path = tmp_path / "secret"
    path.write_text(" pass word \r\n")

    assert load(SECRET_FILE=str(path)).secret.reveal() == " pass word "


def test_value_and_file_together_are_refused(tmp_path: Path) -> None:
    """NAME and NAME_FILE cannot both be set."""
    assert fault(SECRET="a", SECRET_FILE=str(tmp_path)) == (
        "SECRET: give either SECRET or SECRET_FILE, not both"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b"\xff"),
        lambda path: path.write_bytes(b"\n"),
    ],
    ids=["missing", "a folder", "not UTF-8", "empty"],
)
def test_unreadable_file_is_named(tmp_path: Path, spoil: Callable[[Path], Any]) -> None:
    """An unreadable or empty file is an error like any other."""
    path = tmp_path / "secret"
    spoil(path)

    assert fault(SECRET_FILE=str(path)).startswith("SECRET: ")


def test_secret_does_not_show() -> None:
    """A secret is printed as stars, by itself and inside the settings."""
    settings = load(SECRET="hunter2")

    assert str(settings.secret) == repr(settings.secret) == f"{settings.secret}" == "***"
    assert "hunter2" not in repr(settings)


def test_secret_does_not_show_in_a_fault() -> None:
    """A message about other settings does not reveal a secret."""
    assert fault(SECRET="hunter2", COUNT="x") == (
        "COUNT: must be a whole number from 1 to 9, got 'x'"
    )


def test_settings_do_not_change() -> None:
    """Settings are frozen."""
    with pytest.raises(AttributeError):
        load().count = 4  # type: ignore[misc]


def test_settings_describe_themselves() -> None:
    """Names, descriptions and defaults are available for the documentation."""
    assert list(describe_settings(Example))[2] == ("COUNT", "A count.", 3)


@pytest.mark.parametrize("settings_class", [ServiceSettings, ApiSettings])
def test_nothing_secret_has_a_default(settings_class: type) -> None:
    """The keys and the database are required."""
    with pytest.raises(SettingsError) as raised:
        load_settings(settings_class, {})

    expected = {"TOKEN_PUBLIC_KEYS_PATH"}
    if settings_class is ApiSettings:
        expected |= {"DATABASE_URL"}
    assert {line.split(":")[0] for line in str(raised.value).splitlines()} == expected


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:hunter2/x@b/c",
        "postgresql://a:hunter2@x@b/c",
        "postgresql://a:hunter2#x@b/c",
        "postgresql://a:hunter2@b:port/c",
        "postgresql://a:hunter2@b/c d",
    ],
)
def test_malformed_address_of_a_database_is_refused(url: str) -> None:
    """An address that would be parsed wrongly is rejected, and the message does not show it."""
    environment = {"TOKEN_PUBLIC_KEYS_PATH": "/keys", "DATABASE_URL": url}

    with pytest.raises(SettingsError, match="percent-encoded") as raised:
        load_settings(ApiSettings, environment)

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://b",
        "postgresql://a:p:w%40@b.example:5432/c?sslmode=require",
        "postgresql://a@[::1]:5432/c",
        "postgresql://a:p@b:5432,c:5433/d",
        "postgresql:///c?host=/run/postgresql&user=a",
    ],
)
def test_address_of_a_database_is_accepted(url: str) -> None:
    """All addresses that PostgreSQL's clients understand are accepted."""
    environment = {"TOKEN_PUBLIC_KEYS_PATH": "/keys", "DATABASE_URL": url}

    assert load_settings(ApiSettings, environment).database_url.reveal() == url


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("http://collector:4318", True),
        ("https://collector.example/otlp", True),
        ("collector:4318", False),
        ("grpc://collector:4317", False),
        ("http://collector:port", False),
    ],
)
def test_address_of_a_collector_is_checked(url: str, is_good: bool) -> None:
    """An address to which traces cannot be sent is rejected at startup."""
    environment = {"TOKEN_PUBLIC_KEYS_PATH": "/keys", "OTEL_EXPORTER_OTLP_ENDPOINT": url}

    try:
        load_settings(ServiceSettings, environment)
        refusal = ""
    except SettingsError as error:
        refusal = str(error)

    assert bool(refusal) != is_good
    assert is_good or "must look like http://host:port or https://host:port" in refusal


def test_address_of_another_database_is_refused() -> None:
    """DATABASE_URL must be a PostgreSQL address; the message does not show it."""
    environment = {"TOKEN_PUBLIC_KEYS_PATH": "/keys", "DATABASE_URL": "mysql://a:hunter2@b/c"}

    with pytest.raises(SettingsError, match=r"^DATABASE_URL: must start with postgresql://$"):
        load_settings(ApiSettings, environment)
