"""The commands of both backends: serve, migrate, openapi and load-demo."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from asyncpg import PostgresError

from mythoughts_chassis.api import Api
from mythoughts_chassis.commands import CommandError, run
from mythoughts_chassis.logs import configure_logging, first_line
from mythoughts_chassis.migrations import migrate, wait_for_database
from mythoughts_chassis.openapi import committed_form
from mythoughts_chassis.server import serve
from mythoughts_chassis.settings import (
    ApiSettings,
    LogSettings,
    OwnerSettings,
    Secret,
    load_settings,
)

# argparse has no public name for what `add_subparsers` returns.
Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
AnySettings = TypeVar("AnySettings", bound=ApiSettings)
SomeSettings = TypeVar("SomeSettings", bound=LogSettings)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Backend(Generic[AnySettings]):
    """What the commands need to know about a backend.

    `load_demo` takes the address of the database for its owner and the contents of a file.
    """

    name: str
    description: str | None
    settings_class: type[AnySettings]
    create_api: Callable[[AnySettings], Api]
    openapi: dict[str, Any]
    migrations: Path
    load_demo: Callable[[Secret, bytes], Coroutine[Any, Any, None]]

    def run(self, *add_more: Callable[[Actions], None]) -> int:
        """Run one command, perhaps one that the backend adds; return the exit status."""
        parser = argparse.ArgumentParser(prog=self.name, description=self.description)
        parser.set_defaults(command=self._serve)
        actions = parser.add_subparsers(title="commands")
        serve = actions.add_parser("serve", help="serve the API (the default)")
        serve.set_defaults(command=self._serve)
        migrate = actions.add_parser("migrate", help="bring the database schema up to date")
        migrate.add_argument("--wait", action="store_true", help="wait for an unavailable database")
        migrate.set_defaults(command=self._migrate)
        openapi = actions.add_parser("openapi", help="print the OpenAPI document")
        openapi.set_defaults(command=self._openapi)
        demo = actions.add_parser("load-demo", help="load demonstration data if there is none")
        demo.add_argument("--file", type=Path, required=True)
        demo.set_defaults(command=self._load_demo)
        for add in add_more:
            add(actions)
        return run(parser)

    def settings(
        self, settings_class: type[SomeSettings], environment: Mapping[str, str]
    ) -> SomeSettings:
        """Return the settings of a command, and log as they say; raises `SettingsError`."""
        settings = load_settings(settings_class, environment)
        configure_logging(service=self.name, level=settings.log_level, output=settings.log_format)
        return settings

    def _serve(self, _: argparse.Namespace, environment: Mapping[str, str]) -> None:
        settings = self.settings(self.settings_class, environment)
        serve(self.create_api(settings), settings)

    def _migrate(self, options: argparse.Namespace, environment: Mapping[str, str]) -> None:
        settings = self.settings(OwnerSettings, environment)
        if options.wait:
            wait = wait_for_database(lambda: load_settings(OwnerSettings, environment))
            settings = asyncio.run(wait)
        work = migrate(settings.owner_url, self.migrations, service_url=settings.database_url)
        asyncio.run(work)

    def _openapi(self, _: argparse.Namespace, __: Mapping[str, str]) -> None:
        sys.stdout.buffer.write(committed_form(self.openapi))

    def _load_demo(self, options: argparse.Namespace, environment: Mapping[str, str]) -> None:
        url = self.settings(OwnerSettings, environment).owner_url
        try:
            run_work(self.load_demo(url, options.file.read_bytes()))
        except msgspec.DecodeError as error:
            raise CommandError(f"{options.file}: {error}") from error


def run_work(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a command's work; raises `CommandError` for PostgreSQL's errors."""
    try:
        return asyncio.run(work)
    except PostgresError as error:
        raise CommandError(first_line(error)) from error
