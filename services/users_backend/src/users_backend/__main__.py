"""The command line of the Users Backend."""

import argparse
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path

from mythoughts_chassis.backend_commands import Actions, Backend, run_work
from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.settings import DatabaseSettings, Secret, load_settings
from mythoughts_chassis.tokens import CLOCK_SKEW_SECONDS
from users_backend.admins import create_admin
from users_backend.app import MIGRATIONS, NAME, OPENAPI, create_api
from users_backend.demo import load_demo
from users_backend.keys import rotate_key_sets
from users_backend.settings import KeySettings, Settings

BACKEND = Backend(
    name=NAME,
    description=__doc__,
    settings_class=Settings,
    create_api=create_api,
    openapi=OPENAPI,
    migrations=MIGRATIONS,
    load_demo=load_demo,
)


def _add_create_admin(actions: Actions) -> None:
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


def _add_rotate_keys(actions: Actions) -> None:
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


def _create_admin(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    database_url = BACKEND.settings(DatabaseSettings, environment).database_url
    password = _password(options.password_file)
    work = create_admin(database_url, options.name, password, if_missing=options.if_missing)
    created = run_work(work)
    print(f"The admin {options.name} " + ("has been created." if created else "already exists."))


def _password(file: Path | None) -> Secret:
    if file is not None:
        text = file.read_text(encoding="utf-8")
    elif sys.stdin.isatty():
        text = getpass.getpass()
        if getpass.getpass("Enter it again: ") != text:
            raise CommandError("the passwords do not match")
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
            token_lifetime_seconds=settings.longest_token_lifetime_seconds + CLOCK_SKEW_SECONDS,
            activate_in_seconds=options.activate_in,
            keep_old=not options.drop_old,
        )
    )


if __name__ == "__main__":
    sys.exit(BACKEND.run(_add_create_admin, _add_rotate_keys))
