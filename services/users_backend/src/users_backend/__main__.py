"""The command line of the Users Backend."""

import argparse
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path

from mythoughts_chassis.backend_commands import Actions, Backend, run_work
from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.logs import configure_logging
from mythoughts_chassis.settings import DatabaseSettings, Secret, load_settings
from mythoughts_chassis.tokens import CLOCK_SKEW_SECONDS
from users_backend.app import MIGRATIONS, NAME, OPENAPI, create_api
from users_backend.demo import load_demo
from users_backend.keys import rotate_key_sets
from users_backend.operator_commands import create_admin, list_users, reset_password
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

_ABOUT_PASSWORDS = "The password is asked for; without a terminal it is read from standard input."


def _add_create_admin(actions: Actions) -> None:
    admin = actions.add_parser("create-admin", help="create an admin", epilog=_ABOUT_PASSWORDS)
    _add_name_and_password(admin)
    admin.add_argument(
        "--if-missing", action="store_true", help="do nothing if there is an admin with this name"
    )
    admin.add_argument(
        "--must-change-password",
        action="store_true",
        help="the password is temporary: the admin must choose another at the first login",
    )
    admin.set_defaults(command=_create_admin)


def _add_reset_password(actions: Actions) -> None:
    reset = actions.add_parser(
        "reset-password",
        help="give a user a new password, to be changed at the next login, and end all sessions",
        epilog=_ABOUT_PASSWORDS,
    )
    _add_name_and_password(reset)
    reset.add_argument("--enable", action="store_true", help="also enable a disabled user")
    reset.set_defaults(command=_reset_password)


def _add_list_users(actions: Actions) -> None:
    users = actions.add_parser(
        "list-users", help="list users: id, name, and whether admin or disabled"
    )
    users.add_argument(
        "search", type=_text, nargs="?", default="", help="only names that contain this"
    )
    users.add_argument("--admins", action="store_true", help="only admins")
    users.set_defaults(command=_list_users)


def _add_name_and_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", type=_text)
    parser.add_argument("--password-file", type=Path, help="read the password from this file")


def _text(argument: str) -> str:
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("it is not UTF-8 text") from None
    return argument


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
    created = run_work(
        create_admin(
            _database_url(environment),
            options.name,
            _password(options.password_file),
            if_missing=options.if_missing,
            must_change_password=options.must_change_password,
        )
    )
    print(f"The admin {options.name} " + ("has been created." if created else "already exists."))


def _reset_password(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    database_url = _database_url(environment)
    password = _password(options.password_file)
    run_work(reset_password(database_url, options.name, password, enable=options.enable))
    print(f"{options.name} has a new password, and must change it at the next login.")


def _list_users(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    database_url = _database_url(environment)
    for user in run_work(list_users(database_url, search=options.search)):
        if user.is_admin or not options.admins:
            special = {"admin": user.is_admin, "disabled": user.is_disabled}
            words = ", ".join(word for word, is_true in special.items() if is_true)
            print(f"{user.id}\t{user.username}\t{words}".rstrip())


def _database_url(environment: Mapping[str, str]) -> Secret:
    """Return the address of the database, and log only what goes wrong.

    The command prints what it has done, and the audit log's table has it too.
    """
    settings = load_settings(DatabaseSettings, environment)
    configure_logging(service=NAME, level="warning", output=settings.log_format)
    return settings.database_url


def _password(file: Path | None) -> Secret:
    try:
        if file is not None:
            text = file.read_text(encoding="utf-8")
        elif sys.stdin.isatty():
            text = getpass.getpass()
            if getpass.getpass("Enter it again: ") != text:
                raise CommandError("the passwords do not match")
        else:
            text = sys.stdin.buffer.readline().decode()
    except UnicodeDecodeError:
        # Python's own message would show part of it.
        raise CommandError("the password is not UTF-8 text") from None
    return Secret(text.rstrip("\r\n"))


def _rotate_keys(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = load_settings(KeySettings, environment)
    files = (settings.token_private_keys_path, settings.token_public_keys_path)
    if options.if_missing and all(file.exists() for file in files):
        return
    print(
        rotate_key_sets(
            *files,
            # Because clocks may differ, verifiers accept expired tokens for a while.
            token_lifetime_seconds=settings.longest_token_lifetime_seconds + CLOCK_SKEW_SECONDS,
            activate_in_seconds=options.activate_in,
            keep_old=not options.drop_old,
        )
    )


if __name__ == "__main__":
    sys.exit(BACKEND.run(_add_create_admin, _add_reset_password, _add_list_users, _add_rotate_keys))
