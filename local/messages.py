"""The message of `make up` when the system is ready."""

from local.services import SERVICES
from local.stack import Stack


def ready(stack: Stack, *, seconds: float, in_background: bool) -> str:
    """The addresses, and the users who can log in."""
    pages = {"frontend": "/", "thoughts": "/schema/swagger", "users": "/schema/swagger"}
    addresses = [
        f"  {service.title:18}{stack.urls[service.name].replace('127.0.0.1', 'localhost')}"
        f"{pages[service.name]}"
        for service in reversed(SERVICES)
    ]
    ending = "`make down` stops it, and `make logs` shows its logs."
    if not in_background:
        ending = "Ctrl-C stops everything, as does `make down` from another terminal."
    return "\n".join(
        [
            "",
            f"MyThoughts is ready after {seconds:.1f} s.",
            "",
            *addresses,
            f"  {'PostgreSQL':18}127.0.0.1:{stack.postgres.port}, passwords in .local/secrets.json",
            "",
            "  Log in as bruce (password: bruce) or stephen (password: stephen).",
            "  The administrator is admin; the password is in .local/admin-password.",
            "",
            f"  {ending}",
            "",
        ]
    )
