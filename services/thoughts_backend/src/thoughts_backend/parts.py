"""What the endpoints use."""

from dataclasses import dataclass

from mythoughts_chassis.database import Database
from thoughts_backend.search import Search
from thoughts_backend.search_limit import SearchLimit
from thoughts_backend.sharing import ShareLimits


@dataclass(frozen=True, slots=True)
class Parts:
    """The databases, the searches and the limits of one process.

    `public_database`, from which everybody's thoughts are read, is the replica if there is one.
    """

    database: Database
    public_database: Database
    search: Search
    share_limits: ShareLimits
    search_limit: SearchLimit
