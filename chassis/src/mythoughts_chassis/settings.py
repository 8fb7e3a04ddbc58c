"""Settings: one frozen object, read from the environment and complete at start.

A service declares its settings as a frozen dataclass whose fields are made by `setting`:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Settings(ServiceSettings):
        database_url: Secret = setting("Address of the database.")

The field `database_url` is read from `DATABASE_URL`, or from the file that
`DATABASE_URL_FILE` names, as container secrets are mounted. A field without a default is
required. Everything that is missing or wrong is named in one `SettingsError`.
"""

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class SettingsError(Exception):
    """The environment does not give a complete set of settings; one line each in `str()`."""


class Secret:
    """A string that does not show in logs, tracebacks or `repr`."""

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
) -> Any:
    """Declare one setting; `description` is what `docs/configuration.md` says of it."""
    metadata = {"description": description, "minimum": minimum, "maximum": maximum}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What every service can be told."""

    host: str = setting("Address to listen on.", default="127.0.0.1")
    port: int = setting("Port to listen on.", default=8000, minimum=0, maximum=65535)
    log_level: typing.Literal["debug", "info", "warning", "error"] = setting(
        "The least severe level that is logged: debug, info, warning or error.", default="info"
    )
    log_format: typing.Literal["json", "console"] = setting(
        "json: one object a line; console: for reading in a terminal.", default="json"
    )
    drain_seconds: float = setting(
        "How long the service goes on serving, but says that it is not ready, after SIGTERM. "
        "Set it to the time a load balancer needs to notice.",
        default=0.0,
        minimum=0,
        maximum=300,
    )
    token_public_keys_path: Path = setting(
        "File with the public keys that tokens are verified with, a JWK set. "
        "It is read again when it changes."
    )
    otel_exporter_otlp_endpoint: str | None = setting(
        "Address of an OpenTelemetry collector, for example http://collector:4318, that gets a "
        "trace of each request by OTLP over HTTP. Without it nothing is traced.",
        default=None,
    )
    token_issuer: str = setting("The `iss` that tokens must carry.", default="mythoughts")
    token_audience: str = setting("The `aud` that tokens must carry.", default="mythoughts")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings(ServiceSettings):
    """What every service with an API and a database can be told."""

    database_url: Secret = setting(
        "Address of the PostgreSQL database: `postgresql://user:password@host:port/name`."
    )
    database_pool_size: int = setting(
        "How many connections to the database the service opens at most, "
        "besides the one that checks whether it is ready.",
        default=10,
        minimum=1,
        maximum=1000,
    )

    def __post_init__(self) -> None:
        """Refuse an address that could only fail later, with every request."""
        check_database_url("DATABASE_URL", self.database_url)


def check_database_url(name: str, url: Secret) -> None:
    """Raise `SettingsError`, without showing the address, unless it is one of PostgreSQL."""
    if not url.reveal().startswith(("postgresql://", "postgres://")):
        raise SettingsError(f"{name}: must start with postgresql://")


def load_settings(settings_class: type[T], environment: Mapping[str, str]) -> T:
    """Build `settings_class` from `environment`.

    Raises `SettingsError` that names every variable that is missing or does not fit.
    """
    types = typing.get_type_hints(settings_class)
    values: dict[str, object] = {}
    faults: list[str] = []
    for field in dataclasses.fields(settings_class):  # type: ignore[arg-type]
        try:
            text = _text_of(field, environment)
            if text is not None:
                values[field.name] = _parse(text, types[field.name], field.metadata)
        except ValueError as fault:
            faults.append(f"{field.name.upper()}: {fault}")
    if faults:
        raise SettingsError("\n".join(faults))
    return settings_class(**values)


def describe_settings(settings_class: type) -> Iterator[tuple[str, str, object]]:
    """Yield name, description and default of each setting; `dataclasses.MISSING` if required."""
    for field in dataclasses.fields(settings_class):
        yield field.name.upper(), field.metadata["description"], field.default


def _text_of(field: dataclasses.Field[Any], environment: Mapping[str, str]) -> str | None:
    """Return what the environment says of a setting, or None where the default holds."""
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


def _parse(text: str, wanted: Any, bounds: Mapping[str, Any]) -> object:
    if wanted in (Secret, Secret | None):
        value: object = Secret(text)
    elif wanted is Path:
        value = Path(text)
    elif wanted == tuple[str, ...]:
        value = tuple(_entries(text))
    else:
        value = _convert(text, wanted, bounds)
    if not text:
        raise ValueError("must not be empty")
    return value


def _entries(text: str) -> Iterator[str]:
    for entry in text.split(","):
        if not entry.strip():
            raise ValueError("must be a list separated by commas, without an empty entry")
        yield entry.strip()


def _convert(text: str, wanted: Any, bounds: Mapping[str, Any]) -> object:
    constraint = msgspec.Meta(ge=bounds["minimum"], le=bounds["maximum"])
    bounded = typing.Annotated[wanted, constraint] if wanted in (int, float) else wanted
    try:
        return msgspec.convert(text, bounded, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{text!r} does not fit: {error}") from error
