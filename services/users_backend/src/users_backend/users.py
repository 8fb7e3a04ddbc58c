"""The rules of users."""

from msgspec import UNSET
from prometheus_client import Counter

from mythoughts_chassis import audit
from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.problems import Conflict, Forbidden, Unauthorized
from mythoughts_chassis.settings import Secret
from mythoughts_chassis.tokens import Principal
from users_backend import browsers, queries, session_queries, sessions
from users_backend.guesses import Attempt
from users_backend.parts import Parts
from users_backend.passwords import PasswordHasher
from users_backend.schemas import LoggedIn, Login, PasswordChange
from users_backend.turns import Line

_LOGINS_FAILED = Counter("users_logins_failed", "Logins with a wrong name or password.")


async def log_in(parts: Parts, client: Client, login: Login, device_token: str = "") -> LoggedIn:
    """Start a session and return its token; a new password in the request replaces the old one.

    Raises the same `Unauthorized` for a wrong name and a wrong password. Both cost the same
    look-ups and one hash, so that timing reveals nothing either. Raises `Forbidden` if the user
    must choose a new password, `BadInput` if it is easy to guess, `Conflict` if a temporary
    password has expired, and `TooManyRequests`.
    """
    known_token = await _known_token(parts.database, login.username, device_token)
    line = Line.ACCOUNTS if known_token else Line.LOGINS
    async with parts.passwords.turn(line, client) as hasher:
        if known_token:
            attempt = await parts.guesses.admit_browser(known_token)
        else:
            attempt = await parts.guesses.admit_stranger(client, login.username)
        account = await queries.find_account(parts.database, login.username)
        account = await _authenticate(parts, client, hasher, attempt, account, login)
        await _check_age(parts, client, account)
        new_hash = await _new_hash(hasher, account, login)
    is_changed = login.new_password is not UNSET
    token = await _start_session(parts, client, account, new_hash, is_changed=is_changed)
    if token is None:
        # Another request has changed the account meanwhile; perhaps it only renewed the hash.
        return await log_in(parts, client, login, device_token)
    known_token = await browsers.keep(parts.database, account.user_id, known_token)
    return LoggedIn(f"Bearer {token}", known_token)


async def _known_token(database: Database, username: str, device_token: str) -> str:
    """Return the token of the browser if this user has logged in from there; otherwise empty."""
    user_id = await browsers.find_user(database, device_token)
    if user_id is None:
        return ""
    account = await queries.find_account(database, username)
    return device_token if account is not None and account.user_id == user_id else ""


async def _authenticate(
    parts: Parts,
    client: Client,
    hasher: PasswordHasher,
    attempt: Attempt,
    account: queries.Account | None,
    login: Login,
) -> queries.Account:
    """Return the account; raises `Unauthorized` if there is none, or the password is wrong.

    Raises `TooManyRequests` if the right password has been used too often.
    """
    password_hash = None if account is None else account.password_hash
    if not await hasher.verify(login.password.reveal(), password_hash) or account is None:
        _LOGINS_FAILED.inc()
        await _record_failure(parts, client, attempt, "login failed", login.username)
        raise Unauthorized("The name or the password is wrong.")
    await attempt.succeed(parts.database)
    await parts.guesses.count_right_password(account.user_id)
    return account


async def _check_age(parts: Parts, client: Client, account: queries.Account) -> None:
    """Raise `Conflict` if the password is temporary and has expired."""
    if account.has_expired(parts.temporary_password_seconds):
        await audit.record(parts.database, "password expired", client, actor=account.username)
        raise Conflict("This temporary password has expired. Ask an admin for another one.")


async def _record_failure(
    parts: Parts, client: Client, attempt: Attempt, event: str, actor: str
) -> None:
    async with parts.database.transaction() as connection:
        await attempt.fail(connection)
        await audit.record(connection, event, client, actor=actor)


async def _new_hash(hasher: PasswordHasher, account: queries.Account, login: Login) -> str:
    """Return the hash that the account is to have after the login."""
    if isinstance(login.new_password, Secret):
        return await _hash_change(hasher, account, login.password, login.new_password)
    if account.must_change_password:
        raise Forbidden("Choose a new password: send it as new_password.")
    if hasher.is_outdated(account.password_hash):
        return await hasher.hash(login.password.reveal())
    return account.password_hash


async def _start_session(
    parts: Parts, client: Client, account: queries.Account, new_hash: str, *, is_changed: bool
) -> str | None:
    """Start a session, after storing a new hash; None if the account has just changed."""
    async with parts.database.transaction() as connection:
        if is_changed:
            if not await _replace_password(connection, client, account, new_hash):
                return None
        elif new_hash != account.password_hash:
            await queries.replace_password_hash(
                connection, account.user_id, account.password_hash, new_hash
            )
        return await sessions.start(
            parts, client, connection, user_id=account.user_id, password_hash=new_hash
        )


async def _get_account(database: Database, user_id: int) -> queries.Account:
    """Return the account of a token; raises `Unauthorized` if the user has been deleted."""
    account = await queries.find_account_by_id(database, user_id)
    if account is None:
        raise Unauthorized("The user of this token no longer exists.", has_token=True)
    return account


async def change_password(
    parts: Parts, client: Client, caller: Principal, change: PasswordChange
) -> None:
    """Set the caller's new password and end their other sessions.

    Raises what `check_own_password` raises, `BadInput` for a new password that is easy to guess,
    and `TooManyRequests` if too many passwords are being checked.
    """
    async with parts.passwords.turn(Line.ACCOUNTS, client) as hasher:
        account = await check_own_password(parts, client, hasher, caller, change.password)
        await parts.guesses.count_right_password(account.user_id)
        new_hash = await _hash_change(hasher, account, change.password, change.new_password)
    async with parts.database.transaction() as connection:
        is_changed = await _replace_password(
            connection, client, account, new_hash, except_session_id=caller.session_id
        )
    if not is_changed:
        # Another request has changed the account meanwhile; perhaps it only renewed the hash.
        await change_password(parts, client, caller, change)


async def check_own_password(
    parts: Parts, client: Client, hasher: PasswordHasher, caller: Principal, password: Secret
) -> queries.Account:
    """Return the caller's account; raises `Forbidden` if the password is wrong.

    Raises `TooManyRequests` if too many have been wrong in this session, and what `_get_account`
    raises.
    """
    attempt = await parts.guesses.admit_session(caller.session_id)
    account = await _get_account(parts.database, caller.user_id)
    if not await hasher.verify(password.reveal(), account.password_hash):
        await _record_failure(parts, client, attempt, "wrong password", account.username)
        raise Forbidden("The current password is wrong.")
    await attempt.succeed(parts.database)
    return account


async def _replace_password(
    connection: Connection,
    client: Client,
    account: queries.Account,
    new_hash: str,
    *,
    except_session_id: int | None = None,
) -> bool:
    """Store the hash of a password that the user has chosen, and end their sessions.

    Returns False, having changed nothing, if the account has changed in the meantime.
    """
    if not await queries.replace_password_hash(
        connection, account.user_id, account.password_hash, new_hash
    ):
        return False
    await session_queries.end_sessions(connection, account.user_id, except_id=except_session_id)
    await audit.record(connection, "password changed", client, actor=account.username)
    return True


async def _hash_change(
    hasher: PasswordHasher, account: queries.Account, present: Secret, new: Secret
) -> str:
    return await hasher.hash_new(new, account.username, field="new_password", present=present)
