"""The command line of the Thoughts Backend."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from mythoughts_chassis import commands
from mythoughts_chassis.logs import configure_logging
from mythoughts_chassis.openapi import committed_form
from mythoughts_chassis.server import serve
from mythoughts_chassis.settings import load_settings
from thoughts_backend.app import MIGRATIONS, NAME, OPENAPI, create_api
from thoughts_backend.demo import load_demo
from thoughts_backend.settings import Settings


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog=NAME, description=__doc__)
    parser.set_defaults(command=_serve)
    actions = parser.add_subparsers(title="commands")
    actions.add_parser("serve", help="serve the API (the default)").set_defaults(command=_serve)
    migrate = actions.add_parser("migrate", help="bring the database schema up to date")
    migrate.add_argument("--wait", action="store_true", help="wait for an unavailable database")
    migrate.set_defaults(command=_migrate)
    actions.add_parser("openapi", help="print the OpenAPI document").set_defaults(command=_openapi)
    demo = actions.add_parser("load-demo", help="load demonstration thoughts if there are none")
    demo.add_argument("--file", type=Path, required=True)
    demo.set_defaults(command=_load_demo)
    return commands.run(parser)


def _settings(environment: Mapping[str, str]) -> Settings:
    settings = load_settings(Settings, environment)
    configure_logging(service=NAME, level=settings.log_level, output=settings.log_format)
    return settings


def _serve(_: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = _settings(environment)
    serve(create_api(settings), settings)


def _migrate(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    from mythoughts_chassis.migrations import (  # noqa: PLC0415 (slow to import)
        migrate,
        wait_for_database,
    )

    database_url = _settings(environment).database_url
    if options.wait:
        database_url = wait_for_database(lambda: load_settings(Settings, environment).database_url)
    migrate(database_url, MIGRATIONS)


def _openapi(_: argparse.Namespace, __: Mapping[str, str]) -> None:
    sys.stdout.buffer.write(committed_form(OPENAPI))


def _load_demo(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    asyncio.run(load_demo(_settings(environment).database_url, options.file.read_bytes()))


if __name__ == "__main__":
    sys.exit(main())
