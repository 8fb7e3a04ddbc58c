"""The command line of the Users Backend."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path

from mythoughts_chassis import commands
from mythoughts_chassis.logs import configure_logging
from mythoughts_chassis.openapi import committed_form
from mythoughts_chassis.server import serve
from mythoughts_chassis.settings import Secret, load_settings
from mythoughts_chassis.tokens import CLOCK_SKEW_SECONDS
from users_backend.admins import create_admin
from users_backend.app import MIGRATIONS, NAME, OPENAPI, create_api
from users_backend.demo import load_demo
from users_backend.keys import rotate_key_sets
from users_backend.settings import KeySettings, Settings


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
    demo = actions.add_parser("load-demo", help="load demonstration users if there are no users")
    demo.add_argument("--file", type=Path, required=True)
    demo.set_defaults(command=_load_demo)
    _add_create_admin(actions)
    _add_rotate_keys(actions)
    return commands.run(parser)


def _add_create_admin(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    admin = actions.add_parser(
        "create-admin",
        help="create an admin; prompts for the password, or reads it from standard input",
    )
    admin.add_argument("name")
    admin.add_argument("--password-file", type=Path, help="read the password from this file")
    admin.add_argument(
        "--if-missing", action="store_true", help="do nothing if there is an admin with this name"
    )
    admin.set_defaults(command=_create_admin)


def _add_rotate_keys(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    keys = actions.add_parser(
        "rotate-keys", help="add a new signing key, creating the key files if they are missing"
    )
    keys.add_argument(
        "--activate-in",
        type=int,
        default=0,
        metavar="SECONDS",
        help="sign with the new key only after this time, so that verifiers can load it first",
    )
    keys.add_argument(
        "--drop-old",
        action="store_true",
        help="drop all older keys, which invalidates every token signed so far",
    )
    keys.add_argument(
        "--if-missing", action="store_true", help="do nothing if both key files exist"
    )
    keys.set_defaults(command=_rotate_keys)


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


def _create_admin(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    database_url = _settings(environment).database_url
    password = _password(options.password_file)
    work = create_admin(database_url, options.name, password, if_missing=options.if_missing)
    created = asyncio.run(work)
    print(f"The admin {options.name} " + ("has been created." if created else "is there already."))


def _password(file: Path | None) -> Secret:
    if file is not None:
        text = file.read_text(encoding="utf-8")
    elif sys.stdin.isatty():
        text = getpass.getpass()
        if getpass.getpass("The same again: ") != text:
            raise commands.CommandError("the two passwords are not the same")
    else:
        text = sys.stdin.readline()
    return Secret(text.rstrip("\r\n"))


def _rotate_keys(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = load_settings(KeySettings, environment)
    files = (settings.token_private_keys_path, settings.token_public_keys_path)
    if options.if_missing and all(file.exists() for file in files):
        return
    print(
        rotate_key_sets(
            *files,
            # Verifiers accept expired tokens for as long as clocks may differ.
            token_lifetime_seconds=settings.token_lifetime_seconds + CLOCK_SKEW_SECONDS,
            activate_in_seconds=options.activate_in,
            keep_old=not options.drop_old,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
