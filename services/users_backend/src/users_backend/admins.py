"""Creates admins; only possible from the command line."""

from mythoughts_chassis.clients import Client
from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.database import Database
from mythoughts_chassis.inputs import fit
from mythoughts_chassis.problems import Conflict, Problem
from mythoughts_chassis.settings import Secret
from users_backend import queries, users
from users_backend.passwords import Passwords
from users_backend.schemas import NewUser

COMMAND_LINE = Client(address="command line", user_agent="", request_id="")


async def create_admin(
    database_url: Secret, username: str, password: Secret, *, if_missing: bool
) -> bool:
    """Store an admin; with `if_missing`, return False if there is already one with this name.

    Raises `CommandError` if the name or password is invalid, the name is taken, or the database
    is unavailable.
    """
    database = Database(database_url, pool_size=1, application_name="users-backend")
    await database.open()
    try:
        if if_missing and await _is_admin(database, username):
            return False
        new_user = fit({"username": username, "password": password.reveal()}, NewUser)
        return await _create(database, new_user, if_missing=if_missing)
    except Problem as problem:
        raise CommandError(problem.detail) from problem
    finally:
        await database.close()


async def _create(database: Database, new_user: NewUser, *, if_missing: bool) -> bool:
    try:
        await users.create(database, Passwords(), COMMAND_LINE, new_user, is_admin=True)
    except Conflict:
        # Two concurrent commands may both have found nobody.
        if if_missing and await _is_admin(database, new_user.username):
            return False
        raise
    return True


async def _is_admin(database: Database, username: str) -> bool:
    account = await queries.find_account(database, username)
    return account is not None and account.is_admin
