"""Parts of the messages that are printed when the system is ready."""

from collections.abc import Mapping

from tooling.project import SERVICES


def pages(urls: Mapping[str, str]) -> str:
    """The start page of each service, given the services' addresses by name."""
    return "\n".join(
        f"  {service.title:18}{urls[service.name]}{service.start_page}"
        for service in reversed(SERVICES)
    )


def accounts(admin_password_file: str) -> str:
    """The users who can log in."""
    return (
        "  Log in as bruce (password: bruce) or stephen (password: stephen).\n"
        f"  The administrator is admin; the first password, which the first login asks you to\n"
        f"  change, is in {admin_password_file}."
    )
