"""The command line of the Users Backend."""

import argparse
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path

from mythoughts_chassis.backend_commands import BackendCommands, run_work
from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.settings import Secret, load_settings
from mythoughts_chassis.tokens import CLOCK_SKEW_SECONDS
from users_backend.admins import create_admin
from users_backend.app import MIGRATIONS, NAME, OPENAPI, create_api
from users_backend.demo import load_demo
from users_backend.keys import rotate_key_sets
from users_backend.settings import KeySettings, Settings


def main() -> int:
    """Run one command; return the exit status."""
    commands = BackendCommands(
        name=NAME,
        description=__doc__,
        settings_class=Settings,
        create_api=create_api,
        openapi=OPENAPI,
        migrations=MIGRATIONS,
        load_demo=load_demo,
    )
    _add_create_admin(commands)
    _add_rotate_keys(commands)
    return commands.run()


def _add_create_admin(commands: BackendCommands[Settings]) -> None:
    def command(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
        _create_admin(options, commands.settings(environment).database_url)

    parser = commands.add(
        "create-admin",
        command,
        "create an admin; prompts for the password, or reads it from standard input",
    )
    parser.add_argument("name")
    parser.add_argument("--password-file", type=Path, help="read the password from this file")
    parser.add_argument(
        "--if-missing", action="store_true", help="do nothing if there is an admin with this name"
    )


def _add_rotate_keys(commands: BackendCommands[Settings]) -> None:
    parser = commands.add(
        "rotate-keys",
        _rotate_keys,
        "add a new signing key, creating the key files if they are missing",
    )
    parser.add_argument(
        "--activate-in",
        type=int,
        default=0,
        metavar="SECONDS",
        help="sign with the new key only after this time, so that verifiers can load it first",
    )
    parser.add_argument(
        "--drop-old",
        action="store_true",
        help="drop all older keys, which invalidates every token signed so far",
    )
    parser.add_argument(
        "--if-missing", action="store_true", help="do nothing if both key files exist"
    )


def _create_admin(options: argparse.Namespace, database_url: Secret) -> None:
    password = _password(options.password_file)
    work = create_admin(database_url, options.name, password, if_missing=options.if_missing)
    created = run_work(work)
    print(f"The admin {options.name} " + ("has been created." if created else "is there already."))


def _password(file: Path | None) -> Secret:
    if file is not None:
        text = file.read_text(encoding="utf-8")
    elif sys.stdin.isatty():
        text = getpass.getpass()
        if getpass.getpass("The same again: ") != text:
            raise CommandError("the two passwords are not the same")
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
