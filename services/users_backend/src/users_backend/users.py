"""The rules of users."""

from prometheus_client import Counter

from mythoughts_chassis.database import Database
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.problems import Conflict, Forbidden, Unauthorized
from users_backend import queries
from users_backend.password_rules import check_new_password
from users_backend.passwords import PasswordHasher
from users_backend.schemas import Login, NewUser, PasswordChange, User
from users_backend.signing import TokenSigner

_LOGINS_FAILED = Counter("users_logins_failed", "Logins with a wrong name or password.")


async def log_in(
    database: Database, passwords: PasswordHasher, signer: TokenSigner, login: Login
) -> str:
    """Return a token; raises the same `Unauthorized` for a wrong name and a wrong password.

    Both cost one look-up and one hash, so that timing reveals nothing either. A hash with
    outdated parameters is replaced.
    """
    account = await queries.find_account(database, login.username)
    password_hash = None if account is None else account.password_hash
    if not await passwords.verify(login.password.reveal(), password_hash) or account is None:
        _LOGINS_FAILED.inc()
        raise Unauthorized("The name or the password is wrong.")
    if passwords.is_outdated(account.password_hash):
        new_hash = await passwords.hash(login.password.reveal())
        await queries.replace_password_hash(
            database, account.user_id, account.password_hash, new_hash
        )
    return signer.sign(account.user_id, account.username, is_admin=account.is_admin)


async def get(database: Database, user_id: int) -> User:
    """Return the user of a token; raises `Unauthorized` if the user has been deleted."""
    user = await queries.find_user(database, user_id)
    if user is None:
        raise _deleted()
    return user


async def change_password(
    database: Database, passwords: PasswordHasher, user_id: int, change: PasswordChange
) -> None:
    """Set a user's new password; raises `Forbidden` if the current one is wrong.

    Raises `BadInput` for a new password that is easy to guess, `Unauthorized` for a deleted user.
    Tokens stay valid until they expire.
    """
    account = await queries.find_account_by_id(database, user_id)
    if account is None:
        raise _deleted()
    check_new_password(change.new_password, account.username, field="new_password")
    if await passwords.verify(change.password.reveal(), account.password_hash):
        new_hash = await passwords.hash(change.new_password.reveal())
        # Another request may have stored a new hash in the meantime.
        if await queries.replace_password_hash(database, user_id, account.password_hash, new_hash):
            return
    raise Forbidden("The current password is wrong.")


async def find(database: Database, page: PageQuery) -> Page[User]:
    """Return the requested page of users."""
    rows = await queries.fetch_users(
        database,
        above=page.above,
        below=page.below,
        ascending=page.ascending,
        limit=page.limit + 1,
    )
    return page.page(rows)


async def create(
    database: Database, passwords: PasswordHasher, new_user: NewUser, *, is_admin: bool = False
) -> User:
    """Store a user and return it.

    Raises `BadInput` if the password is easy to guess, and `Conflict` if the name is taken or looks
    like a taken one; names of deleted users stay taken.
    """
    check_new_password(new_user.password, new_user.username)
    password_hash = await passwords.hash(new_user.password.reveal())
    try:
        return await queries.insert_user(
            database, new_user.username, password_hash, is_admin=is_admin
        )
    except queries.LookAlike:
        raise Conflict("This name looks too much like one that is taken.") from None
    except queries.NameTaken:
        raise Conflict("This name is taken.") from None


async def delete(database: Database, user_id: int) -> None:
    """Delete a user, if it exists; the name is never reused.

    The other services are not notified: the user's tokens stay valid there until they expire.
    """
    await queries.delete_user(database, user_id)


def _deleted() -> Unauthorized:
    return Unauthorized(
        "The user of this token no longer exists.",
        challenge='Bearer error="invalid_token"',
    )
