"""`python -m frontend`: serve the pages."""

import logging
import os
import sys
from importlib.metadata import version

from frontend.app import create_app
from frontend.serving.health import Readiness
from frontend.serving.server import serve
from frontend.settings import Settings
from mythoughts_chassis.keys import KeySetError
from mythoughts_chassis.logs import configure_logging
from mythoughts_chassis.observation import set_build_info
from mythoughts_chassis.settings import SettingsError, load_settings


def main() -> int:
    """Serve until a signal arrives; return the exit status, 2 if the settings are invalid."""
    readiness = Readiness()
    try:
        settings = load_settings(Settings, os.environ)
        configure_logging(service="frontend", level=settings.log_level, output=settings.log_format)
        # The number of waiting requests is a metric, frontend_requests_waiting.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        app = create_app(settings, readiness)
    except (SettingsError, KeySetError) as error:
        for line in str(error).splitlines():
            print(f"frontend: {line}", file=sys.stderr)
        return 2
    set_build_info("frontend", version("frontend"))
    try:
        serve(app, settings, readiness)
    except OSError as error:
        print(f"frontend: cannot listen on port {settings.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
