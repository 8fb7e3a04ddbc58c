"""`python -m frontend`: serve the pages."""

import argparse
import logging
import sys
from collections.abc import Mapping

from frontend.app import create_app, ended_sessions_for
from frontend.serving.health import Readiness
from frontend.serving.server import serve
from frontend.settings import Settings
from mythoughts_chassis.commands import run
from mythoughts_chassis.logs import configure_logging
from mythoughts_chassis.settings import load_settings


def main() -> int:
    """Serve until a signal arrives; return the exit status, 2 if the settings are invalid."""
    parser = argparse.ArgumentParser(prog="frontend", description="Serve the pages.")
    parser.set_defaults(command=_serve)
    return run(parser)


def _serve(_: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = load_settings(Settings, environment)
    configure_logging(service="frontend", level=settings.log_level, output=settings.log_format)
    # The number of waiting requests is a metric, frontend_requests_waiting.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    readiness = Readiness()
    ended = ended_sessions_for(settings)
    app = create_app(settings, readiness, ended)
    with ended:
        serve(app, settings, readiness)


if __name__ == "__main__":
    sys.exit(main())
