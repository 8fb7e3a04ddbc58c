"""Makes admins; only the command line can."""

from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.database import Database
from mythoughts_chassis.inputs import fit
from mythoughts_chassis.problems import Conflict, Problem
from mythoughts_chassis.settings import Secret
from users_backend import queries, users
from users_backend.passwords import PasswordHasher
from users_backend.schemas import NewUser


async def create_admin(
    database_url: Secret, username: str, password: Secret, *, if_missing: bool
) -> bool:
    """Store an admin; return False if there is one of this name and `if_missing` says to go on.

    Raises `CommandError` when name or password do not fit, the name is taken, or the database
    is away.
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
        await users.create(database, PasswordHasher(), new_user, is_admin=True)
    except Conflict:
        # Two commands at once both find nobody.
        if if_missing and await _is_admin(database, new_user.username):
            return False
        raise
    return True


async def _is_admin(database: Database, username: str) -> bool:
    account = await database.run(lambda c: queries.find_account(c, username), repeatable=True)
    return account is not None and account.is_admin
