"""What operators can do with accounts on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

from mythoughts_chassis.clients import Client
from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.database import Database
from mythoughts_chassis.inputs import fit
from mythoughts_chassis.logs import first_line
from mythoughts_chassis.pagination import MAX_LIMIT
from mythoughts_chassis.problems import Conflict, Problem, Unavailable
from mythoughts_chassis.settings import Secret
from users_backend import accounts, queries
from users_backend.password_rules import check_new_password
from users_backend.passwords import PasswordHasher
from users_backend.schemas import NewUser, User, UserChange, UsersQuery

# In the audit log, as the address and as the actor.
COMMAND_LINE = "command line"
_CLIENT = Client(address=COMMAND_LINE, user_agent="", request_id="")


async def create_admin(
    database_url: Secret,
    username: str,
    password: Secret,
    *,
    if_missing: bool,
    must_change_password: bool,
) -> bool:
    """Store an admin; with `if_missing`, return False if there is already one with this name.

    Raises `CommandError` if the name or password is invalid, the name is taken, or the database
    is unavailable.
    """
    with _used(database_url) as database:
        if if_missing and await _is_admin(database, username):
            return False
        new_user = fit({"username": username, "password": password.reveal()}, NewUser)
        check_new_password(new_user.password, new_user.username)
        try:
            await accounts.store(
                database,
                _CLIENT,
                new_user,
                _hash(password),
                creator=COMMAND_LINE,
                is_admin=True,
                must_change_password=must_change_password,
            )
        except Conflict:
            # Two concurrent commands may both have found no such user.
            if if_missing and await _is_admin(database, username):
                return False
            raise
        return True


async def reset_password(
    database_url: Secret, username: str, password: Secret, *, enable: bool
) -> None:
    """Store a new password, which the user must change, and end the user's sessions.

    With `enable`, a disabled user is enabled as well. Raises `CommandError`, as `create_admin` and
    for an unknown name.
    """
    with _used(database_url) as database:
        user = await queries.find_user_named(database, username)
        if user is None:
            raise CommandError(f"there is no user {username}")
        fit({"password": password.reveal()}, UserChange)
        check_new_password(password, user.username)
        rights = {"is_disabled": False} if enable else {}
        async with database.transaction() as connection:
            await accounts.apply_change(
                connection, _CLIENT, COMMAND_LINE, user.id, _hash(password), **rights
            )


async def list_users(database_url: Secret, *, search: str) -> list[User]:
    """Return the users whose names contain `search`, newest first; raises `CommandError`."""
    users: list[User] = []
    with _used(database_url) as database:
        while True:
            max_id = users[-1].id if users else None
            query = UsersQuery(search=search, limit=MAX_LIMIT, max_id=max_id)
            page = await accounts.find(database, query)
            users += page.items
            if page.older_than is None:
                return users


@contextmanager
def _used(database_url: Secret) -> Iterator[Database]:
    """Use the database in a block, whose problems become errors of the command."""
    database = Database(database_url, pool_size=1, application_name="users-backend")
    try:
        yield database
    except Unavailable as problem:
        reason = first_line(problem.__cause__ or problem)
        raise CommandError(f"the database cannot be used: {reason}") from problem
    except Problem as problem:
        raise CommandError(problem.detail) from problem
    finally:
        database.close()


async def _is_admin(database: Database, username: str) -> bool:
    user = await queries.find_user_named(database, username)
    return user is not None and user.is_admin


def _hash(password: Secret) -> str:
    return PasswordHasher().hash_now(password.reveal())
