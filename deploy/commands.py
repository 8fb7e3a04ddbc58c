"""What the Makefile's verbs for a Kubernetes cluster do."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.failures import DeployError
from deploy.overlays import chosen_overlay
from local.console import complain, say
from local.services import ROOT


def make_secrets(environment: Mapping[str, str]) -> None:
    """Make the secret files of an overlay that are missing."""
    overlay = chosen_overlay(environment)
    made = overlay.make_secrets()
    folder = overlay.secrets.relative_to(ROOT)
    say(f"Made in {folder}: {', '.join(made)}." if made else f"Nothing is missing in {folder}.")
    if addresses := overlay.missing_addresses():
        say(how_to_write(addresses))


def how_to_write(addresses: Sequence[Path]) -> str:
    """What to do about files with the addresses of databases that only the operator knows."""
    names = " and ".join(str(path.relative_to(ROOT)) for path in addresses)
    return f"Write the address of each database, postgresql://USER:PASSWORD@HOST/NAME, into {names}"


COMMANDS = {"secrets": make_secrets}


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the verb that is named; the exit status."""
    try:
        COMMANDS[arguments[0]](environment)
    except DeployError as error:
        complain(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        complain("")
        return 130
    return 0
