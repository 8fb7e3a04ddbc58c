"""The command line of the Thoughts Backend."""

import sys

from mythoughts_chassis.backend_commands import Backend
from thoughts_backend.app import MIGRATIONS, NAME, OPENAPI, create_api
from thoughts_backend.demo import load_demo
from thoughts_backend.settings import Settings

BACKEND = Backend(
    name=NAME,
    description=__doc__,
    settings_class=Settings,
    create_api=create_api,
    openapi=OPENAPI,
    migrations=MIGRATIONS,
    load_demo=load_demo,
)

if __name__ == "__main__":
    sys.exit(BACKEND.run())
