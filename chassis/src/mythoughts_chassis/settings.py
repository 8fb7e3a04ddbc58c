"""Settings: one frozen object, read from the environment and validated at startup.

A service declares its settings as a frozen dataclass whose fields are created by `setting`:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Settings(ServiceSettings):
        database_url: Secret = setting("Address of the database.")

The field `database_url` is read from `DATABASE_URL`, or from the file named by
`DATABASE_URL_FILE`, as for mounted container secrets. A field without a default is
required. One `SettingsError` lists all missing and invalid settings.
"""

import dataclasses
import ipaddress
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from mythoughts_chassis.clients import Network
from mythoughts_chassis.tls import check_ca_path

T = TypeVar("T")

_HOST = r"(\[[^\]]+\]|[^\s:/@?#\[\]]*)(:\d{1,5})?"
_DATABASE_URL = re.compile(rf"\w+://([^\s/@?#]*@)?{_HOST}(,{_HOST})*(/[^\s/?#]*)?(\?[^\s#]*)?")


class SettingsError(Exception):
    """Settings are missing or invalid; `str()` has one line for each."""


class Secret:
    """A string that does not appear in logs, tracebacks or `repr`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"


def setting(
    description: str,
    *,
    default: object = dataclasses.MISSING,
    minimum: float | None = None,
    maximum: float | None = None,
    check: Callable[[Any], None] | None = None,
) -> Any:
    """Declare a setting; `description` is its text in `docs/configuration.md`.

    `check` raises `ValueError` for a value that would only fail later.
    """
    metadata = {"description": description, "minimum": minimum, "maximum": maximum, "check": check}
    return dataclasses.field(default=default, metadata=metadata)


def check_database_url(url: Secret) -> None:
    """Raise `ValueError`, without showing the address, unless it is a PostgreSQL address.

    There may be several hosts, or none if a parameter names the host.
    """
    if not url.reveal().startswith(("postgresql://", "postgres://")):
        raise ValueError("must start with postgresql://")
    if not _DATABASE_URL.fullmatch(url.reveal()):
        raise ValueError(
            "must look like postgresql://user:password@host:port/name, "
            "with @, /, ? and # in the password percent-encoded"
        )


def backend_ca_setting() -> Any:
    """Declare `BACKEND_CA_PATH`, for services that call others by https."""
    return setting(
        "File with the certificates (PEM) of the authorities that may sign those of backends whose "
        "address begins with https. If it is not set, those that the system trusts.",
        default=None,
        check=check_ca_path,
    )


def check_url(url: str, *, path: bool = False) -> None:
    """Raise `ValueError` unless `url` is an http or https address with a host and nothing more.

    With `path`, a path may follow.
    """
    try:
        parts = urlsplit(url)
        fits = parts.port is None or parts.port > 0
    except ValueError:
        fits = False
    if (
        not fits
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or (parts.path.strip("/") and not path)
        or parts.query
        or parts.fragment
        or parts.username is not None
    ):
        raise ValueError(f"must look like http://host:port or https://host:port, got {url!r}")


# Without slots, so that a class can inherit from two of them.
@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """The settings of everything that logs."""

    log_level: typing.Literal["debug", "info", "warning", "error"] = setting(
        "The lowest level that is logged: debug, info, warning or error.", default="info"
    )
    log_format: typing.Literal["json", "console"] = setting(
        "json: one object per line; console: for reading in a terminal.", default="json"
    )


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings(LogSettings):
    """The settings of a command that uses the database as the service does."""

    database_url: Secret = setting(
        "Address of the PostgreSQL database: `postgresql://user:password@host:port/name`.",
        check=check_database_url,
    )


@dataclass(frozen=True, kw_only=True)
class OwnerSettings(DatabaseSettings):
    """The settings of a command that uses the database as its owner."""

    migrations_database_url: Secret | None = setting(
        "Address of the database for the role that owns it, in the form of `DATABASE_URL`. "
        "`migrate` creates tables with this role, and grants the role in `DATABASE_URL` what the "
        "service needs; `load-demo` uses it, too. If it is not set, they use `DATABASE_URL`.",
        default=None,
        check=check_database_url,
    )

    @property
    def owner_url(self) -> Secret:
        """The address for the owner."""
        return self.migrations_database_url or self.database_url


@dataclass(frozen=True, kw_only=True)
class ServiceSettings(LogSettings):
    """The settings common to all services."""

    host: str = setting("Address to listen on.", default="127.0.0.1")
    port: int = setting("Port to listen on.", default=8000, minimum=0, maximum=65535)
    drain_seconds: float = setting(
        "How long the service keeps serving after SIGTERM, while it reports that it is not ready. "
        "Set it to the time that a load balancer needs to notice.",
        default=0.0,
        minimum=0,
        maximum=300,
    )
    token_public_keys_path: Path = setting(
        "File with the public keys for verifying tokens, a JWK set. "
        "It is read again when it changes."
    )
    otel_exporter_otlp_endpoint: str | None = setting(
        "Address of an OpenTelemetry collector, for example http://collector:4318, that receives a "
        "trace of each request by OTLP over HTTP. If it is not set, nothing is traced.",
        default=None,
        check=partial(check_url, path=True),
    )
    trusted_proxies: tuple[Network, ...] = setting(
        "Networks of the proxies whose `X-Forwarded-For` is believed, separated by commas, for "
        "example 10.0.0.0/8. From everybody else the header is ignored, and the client's address "
        "is that of the connection.",
        default=(),
    )
    behind_tls: bool = setting(
        "true if clients reach the service over https: browsers are told to use only https, and "
        "the Frontend's cookies become Secure.",
        default=False,
    )
    hsts_seconds: int = setting(
        "Behind TLS, for how long browsers remember to use only https; 0 makes them forget it.",
        default=31_536_000,
        minimum=0,
        maximum=63_072_000,
    )
    hsts_include_subdomains: bool = setting(
        "true if that holds for every name below the host as well: each must have https.",
        default=False,
    )
    token_issuer: str = setting("The `iss` that tokens must carry.", default="mythoughts")
    token_audience: str = setting("The `aud` that tokens must carry.", default="mythoughts")

    @property
    def transport_headers(self) -> list[tuple[str, str]]:
        """The headers about https that every response has (RFC 6797)."""
        if not self.behind_tls:
            return []
        subdomains = "; includeSubDomains" if self.hsts_include_subdomains else ""
        return [("Strict-Transport-Security", f"max-age={self.hsts_seconds}{subdomains}")]


@dataclass(frozen=True, kw_only=True)
class ApiSettings(ServiceSettings, DatabaseSettings):
    """The settings common to services with an API and a database."""

    database_pool_size: int = setting(
        "Maximum number of database connections that the service opens, "
        "besides the one for the readiness check.",
        default=10,
        minimum=1,
        maximum=1000,
    )
    fault_switches: bool = setting(
        "true allows an admin to make the service slow or its requests fail, for exercises: "
        "`POST /admin/faults`. For development only.",
        default=False,
    )


def load_settings(settings_class: type[T], environment: Mapping[str, str]) -> T:
    """Build `settings_class` from `environment`.

    Raises a `SettingsError` that names every missing or invalid variable.
    """
    types = typing.get_type_hints(settings_class)
    values: dict[str, object] = {}
    faults: list[str] = []
    for field in dataclasses.fields(settings_class):  # type: ignore[arg-type]
        try:
            text = _text_of(field, environment)
            if text is not None:
                value = values[field.name] = _parse(text, types[field.name], field)
                if check := field.metadata["check"]:
                    check(value)
        except ValueError as fault:
            faults.append(f"{field.name.upper()}: {fault}")
    if faults:
        raise SettingsError("\n".join(faults))
    return settings_class(**values)


def describe_settings(settings_class: type) -> Iterator[tuple[str, str, object]]:
    """Yield each setting's name, description and default (`dataclasses.MISSING` if required)."""
    for field in dataclasses.fields(settings_class):
        yield field.name.upper(), field.metadata["description"], field.default


def _text_of(field: dataclasses.Field[Any], environment: Mapping[str, str]) -> str | None:
    """Return the setting's value from the environment, or None if the default applies."""
    name = field.name.upper()
    text = environment.get(name)
    file_name = environment.get(f"{name}_FILE")
    if text is not None and file_name is not None:
        raise ValueError(f"give either {name} or {name}_FILE, not both")
    if file_name is not None:
        text = _contents(file_name)
    if text is None and field.default is dataclasses.MISSING:
        raise ValueError("is required and not set")
    return text


def _contents(file_name: str) -> str:
    try:
        return Path(file_name).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"cannot read {file_name}: {error.strerror}") from error
    except UnicodeDecodeError:
        # Python's own message would show part of the content, which may be a secret.
        raise ValueError(f"cannot read {file_name}: it is not UTF-8 text") from None


def _parse(text: str, wanted: Any, field: dataclasses.Field[Any]) -> object:
    if wanted in (Secret, Secret | None):
        value: object = Secret(text)
    elif wanted in (Path, Path | None):
        value = Path(text)
    elif wanted == tuple[str, ...]:
        value = tuple(_entries(text))
    elif wanted == tuple[Network, ...]:
        value = tuple(ipaddress.ip_network(entry) for entry in _entries(text))
    elif wanted in (str, str | None):
        value = text
    else:
        return _convert(text, wanted, field)
    if not text:
        raise ValueError("must not be empty")
    return value


def _entries(text: str) -> Iterator[str]:
    for entry in text.split(","):
        if not entry.strip():
            raise ValueError("must be a list separated by commas, without an empty entry")
        yield entry.strip()


def _convert(text: str, wanted: Any, field: dataclasses.Field[Any]) -> object:
    """Return a number, a boolean or a choice; case and surrounding spaces do not matter."""
    constraint = msgspec.Meta(ge=field.metadata["minimum"], le=field.metadata["maximum"])
    bounded = typing.Annotated[wanted, constraint] if wanted in (int, float) else wanted
    try:
        return msgspec.convert(text.strip().lower(), bounded, strict=False)
    except msgspec.ValidationError:
        raise ValueError(f"must be {_accepted(wanted, field)}, got {text!r}") from None


def _accepted(wanted: Any, field: dataclasses.Field[Any]) -> str:
    """Describe the values that a setting accepts, such as "a number of seconds from 0 to 300"."""
    if wanted is bool:
        return "true or false"
    if choices := typing.get_args(wanted):
        return f"{', '.join(choices[:-1])} or {choices[-1]}"
    kind = "a whole number" if wanted is int else "a number"
    unit = " of seconds" if field.name.endswith("_seconds") else ""
    minimum, maximum = field.metadata["minimum"], field.metadata["maximum"]
    limits = {"": None, f" from {minimum}": minimum, f" to {maximum}": maximum}
    return kind + unit + "".join(words for words, limit in limits.items() if limit is not None)
