"""The command line of the Thoughts Backend."""

import sys

from mythoughts_chassis.backend_commands import BackendCommands
from thoughts_backend.app import MIGRATIONS, NAME, OPENAPI, create_api
from thoughts_backend.demo import load_demo
from thoughts_backend.settings import Settings


def main() -> int:
    """Run one command; return the exit status."""
    commands = BackendCommands(
        name=NAME,
        description=__doc__,
        settings_class=Settings,
        create_api=create_api,
        openapi=OPENAPI,
        migrations=MIGRATIONS,
        load_demo=load_demo,
    )
    return commands.run()


if __name__ == "__main__":
    sys.exit(main())
