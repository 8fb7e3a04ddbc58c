"""Finds secrets in what services write and answer: known ones, and others by their form."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple

from local.stack import Stack
from testkit.system import PASSWORD_MARK

# A hash, a token, a key's private part, and the password of any user that the tests make.
FORMS = (
    re.compile(r"\$argon2id\$"),
    re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"),
    re.compile(r'"(?:d|p|q|dp|dq|qi)"\s*:\s*"[\w-]{40,}'),
    re.compile(rf"{PASSWORD_MARK} [0-9a-f]{{12}}"),
)


def known_secrets(stack: Stack) -> list[str]:
    """The passwords and private keys of a system on this machine."""
    keys = json.loads(stack.folder.private_keys.read_text())["keys"]
    private = [key[part] for key in keys for part in ("d", "p", "q")]
    return [*astuple(stack.folder.secrets()), stack.admin_password, *private]


def leaks_in(text: str, secrets: Iterable[str]) -> Iterator[str]:
    """Yield each secret in a text, with the text before it."""
    found = [match.span() for form in FORMS for match in form.finditer(text)]
    for secret in secrets:
        found += [match.span() for match in re.finditer(re.escape(secret), text)]
    for start, end in found:
        yield text[max(start - 200, 0) : end]


def leaks_in_logs(stack: Stack) -> list[str]:
    """The secrets in the logs of a system on this machine, including PostgreSQL's."""
    secrets = known_secrets(stack)
    return [
        f"{log.name}: {leak}"
        for log in sorted(stack.folder.logs.iterdir())
        for leak in leaks_in(log.read_text(errors="replace"), secrets)
    ]
