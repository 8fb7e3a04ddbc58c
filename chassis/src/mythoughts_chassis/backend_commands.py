"""The commands of both backends: serve, migrate, openapi and load-demo."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from asyncpg import PostgresError

from mythoughts_chassis.api import Api
from mythoughts_chassis.commands import Command, CommandError, run
from mythoughts_chassis.logs import configure_logging, first_line
from mythoughts_chassis.openapi import committed_form
from mythoughts_chassis.server import serve
from mythoughts_chassis.settings import ApiSettings, Secret, load_settings

AnySettings = TypeVar("AnySettings", bound=ApiSettings)
T = TypeVar("T")


class BackendCommands(Generic[AnySettings]):
    """The command line of one backend, which can `add` commands of its own.

    `load_demo` takes the address of the database and the contents of a file.
    """

    def __init__(
        self,
        *,
        name: str,
        description: str | None,
        settings_class: type[AnySettings],
        create_api: Callable[[AnySettings], Api],
        openapi: dict[str, Any],
        migrations: Path,
        load_demo: Callable[[Secret, bytes], Coroutine[Any, Any, None]],
    ) -> None:
        self._name = name
        self._settings_class = settings_class
        self._create_api = create_api
        self._openapi = openapi
        self._migrations = migrations
        self._load_demo = load_demo
        self._parser = argparse.ArgumentParser(prog=name, description=description)
        self._parser.set_defaults(command=self._run_serve)
        self._actions = self._parser.add_subparsers(title="commands")
        self.add("serve", self._run_serve, "serve the API (the default)")
        migrate = self.add("migrate", self._run_migrate, "bring the database schema up to date")
        migrate.add_argument("--wait", action="store_true", help="wait for an unavailable database")
        self.add("openapi", self._run_openapi, "print the OpenAPI document")
        demo = self.add(
            "load-demo", self._run_load_demo, "load demonstration data if there is none"
        )
        demo.add_argument("--file", type=Path, required=True)

    def add(self, name: str, command: Command, description: str) -> argparse.ArgumentParser:
        """Add a command and return its parser, which takes its options."""
        parser = self._actions.add_parser(name, help=description)
        parser.set_defaults(command=command)
        return parser

    def run(self) -> int:
        """Run the command that the arguments name; return the exit status."""
        return run(self._parser)

    def settings(self, environment: Mapping[str, str]) -> AnySettings:
        """Return the settings, and log as they say; raises `SettingsError`."""
        settings = load_settings(self._settings_class, environment)
        configure_logging(service=self._name, level=settings.log_level, output=settings.log_format)
        return settings

    def _run_serve(self, _: argparse.Namespace, environment: Mapping[str, str]) -> None:
        settings = self.settings(environment)
        serve(self._create_api(settings), settings)

    def _run_migrate(self, options: argparse.Namespace, environment: Mapping[str, str]) -> None:
        from mythoughts_chassis.migrations import (  # noqa: PLC0415 (slow to import)
            migrate,
            wait_for_database,
        )

        def database_url() -> Secret:
            return load_settings(self._settings_class, environment).database_url

        url = self.settings(environment).database_url
        migrate(wait_for_database(database_url) if options.wait else url, self._migrations)

    def _run_openapi(self, _: argparse.Namespace, __: Mapping[str, str]) -> None:
        sys.stdout.buffer.write(committed_form(self._openapi))

    def _run_load_demo(self, options: argparse.Namespace, environment: Mapping[str, str]) -> None:
        url = self.settings(environment).database_url
        run_work(self._load_demo(url, options.file.read_bytes()))


def run_work(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a command's work; raises `CommandError` for PostgreSQL's errors."""
    try:
        return asyncio.run(work)
    except PostgresError as error:
        raise CommandError(first_line(error)) from error
