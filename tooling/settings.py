"""Reads the settings of the Makefile's verbs from the environment; an empty one is not set."""

from collections.abc import Iterable, Mapping

from tooling.failures import Failure

MAX_PORT = 65_535


def number(environment: Mapping[str, str], name: str, default: int, *, of: range, what: str) -> int:
    """The whole number that a variable holds; raises Failure if it is not one `of` these."""
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) in of):
        raise Failure(f"{name}={text} is not {what}.")
    return int(text)


def port_number(environment: Mapping[str, str], name: str, default: int) -> int:
    """The port that a variable holds; raises Failure if it is none."""
    what = f"a port: a number from 1 to {MAX_PORT}"
    return number(environment, name, default, of=range(1, MAX_PORT + 1), what=what)


def choice(
    environment: Mapping[str, str], name: str, choices: Iterable[str], default: str = ""
) -> str:
    """The choice that a variable holds; raises Failure if it holds another, or nothing."""
    known = list(choices)
    chosen = environment.get(name) or default
    if chosen not in known:
        problem = f"{name}={chosen} is not" if chosen else f"Set {name} to"
        raise Failure(f"{problem} one of {', '.join(known)}.")
    return chosen
