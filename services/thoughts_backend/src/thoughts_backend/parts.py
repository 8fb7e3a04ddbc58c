"""What the endpoints use."""

from dataclasses import dataclass

from mythoughts_chassis.database import Database
from thoughts_backend.search import Search


@dataclass(frozen=True, slots=True)
class Parts:
    """The databases and the searches of one process.

    `public_database`, from which everybody's thoughts are read, is the replica if there is one.
    """

    database: Database
    public_database: Database
    search: Search
