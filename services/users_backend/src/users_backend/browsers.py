"""Browsers that have logged in before: what strangers do never keeps them out.

A login returns a token, which the browser sends with its next login (OWASP, "Slow Down Online
Guessing Attacks with Device Cookies"). It proves only that somebody who knew the password has used
this browser; it replaces no password and gives access to nothing. The token is random, and the
table holds its SHA-256. It stays valid when the password is changed.
"""

import re
import secrets
from hashlib import sha256

from mythoughts_chassis.database import Database
from users_backend import queries

MAX_BROWSERS_PER_USER = 20
HEADER = "X-Device-Token"
SCHEMA = {
    "type": "string",
    "description": "The `device_token` of an earlier login from this device. With it, failed "
    "logins of others do not make this one wait.",
}

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def parse_token(values: list[str]) -> str:
    """Return the token in the header; empty if there is none, or if it has another form."""
    return values[0] if len(values) == 1 and _TOKEN.fullmatch(values[0]) else ""


async def find_user(database: Database, token: str) -> int | None:
    """Return the id of the user who has logged in from the browser with this token, or None."""
    return await queries.find_browsers_user(database, _hash(token)) if token else None


async def keep(database: Database, user_id: int, token: str) -> str:
    """Store that the user has just logged in from a browser; return its token, maybe a new one."""
    token = token or secrets.token_urlsafe(32)
    await queries.keep_browser(database, _hash(token), user_id, at_most=MAX_BROWSERS_PER_USER)
    return token


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
