"""What the endpoints use."""

from dataclasses import dataclass

from mythoughts_chassis.database import Database
from mythoughts_chassis.keys import WatchedKeySet
from users_backend.ended_sessions import EndedSessionsList
from users_backend.guesses import Guesses
from users_backend.passwords import PasswordHasher
from users_backend.session_queries import Lifetimes
from users_backend.signing import TokenSigner


@dataclass(frozen=True, slots=True)
class Parts:
    """The database, the password hashes, the keys and the lifetimes of one process."""

    database: Database
    passwords: PasswordHasher
    guesses: Guesses
    public_keys: WatchedKeySet
    signer: TokenSigner
    ended_sessions: EndedSessionsList
    lifetimes: Lifetimes
    temporary_password_seconds: int
