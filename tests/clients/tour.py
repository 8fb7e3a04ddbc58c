"""The README's tour, taken with clients that openapi-python-client has made.

Arguments: where the Thoughts Backend and the Users Backend are, a name and its password. What the
steps answered is written to standard output, as JSON.
"""

import json
import re
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

from thoughts_backend_client import (  # type: ignore[import-not-found]
    AuthenticatedClient,
    Client,
)
from thoughts_backend_client.api.thoughts import (  # type: ignore[import-not-found]
    delete_own_thought,
    get_thought,
    list_own_thoughts,
    list_thoughts,
    share_thought,
)
from thoughts_backend_client.models import NewThought  # type: ignore[import-not-found]
from users_backend_client import Client as UsersClient  # type: ignore[import-not-found]
from users_backend_client.api.account import log_in  # type: ignore[import-not-found]
from users_backend_client.models import Login  # type: ignore[import-not-found]

thoughts_url, users_url, username, password = sys.argv[1:]

with UsersClient(users_url) as users:
    authorized = log_in.sync(client=users, body=Login(username, password)).authorized

# The answer of the login as it is: the client puts another `Bearer` before it.
user = AuthenticatedClient(thoughts_url, token=authorized)
nobody = Client(thoughts_url)


def pages(**query: Any) -> list[list[dict[str, Any]]]:
    """Everybody's thoughts, page by page, as the Link headers lead on."""
    answer = list_thoughts.sync_detailed(client=nobody, **query)
    page = [thought.to_dict() for thought in answer.parsed]
    following = re.search(r'<([^<>]*)>; rel="next"', answer.headers.get("Link", ""))
    if following is None:
        return [page]
    cursor = int(parse_qs(urlsplit(following[1]).query)["max_id"][0])
    return [page, *pages(**{**query, "max_id": cursor})]


with user, nobody:
    shared = [
        share_thought.sync(client=user, body=NewThought(f"Hello {number}: 你好, {username}."))
        for number in range(3)
    ]
    own = list_own_thoughts.sync(client=user)
    found = list_thoughts.sync(client=nobody, search=f"HELLO 1: 你好, {username}".upper())
    leafed = pages(username=username, limit=2)
    deletion = delete_own_thought.sync_detailed(shared[0].id, client=user)
    gone = get_thought.sync(shared[0].id, client=nobody)
    refused = share_thought.sync(client=user, body=NewThought(""))

print(
    json.dumps(
        {
            "shared": [thought.to_dict() for thought in shared],
            "year": shared[0].timestamp.year,
            "own": [thought.to_dict() for thought in own],
            "found": [thought.to_dict() for thought in found],
            "pages": leafed,
            "deletion": deletion.status_code,
            "gone": gone.to_dict(),
            "refused": refused.to_dict(),
        }
    )
)
