"""The events of the audit logs, in the visitor's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVENTS: dict[str, Promise] = {
    "login": _("Logged in"),
    "login failed": _("Login failed"),
    "logout": _("Logged out"),
    "session ended": _("Session ended"),
    "sessions ended": _("Sessions ended"),
    "wrong password": _("Wrong password"),
    "password changed": _("Password changed"),
    "password reset": _("Password reset"),
    "user created": _("User created"),
    "user registered": _("User registered"),
    "user disabled": _("User disabled"),
    "user enabled": _("User enabled"),
    "admin made": _("Made an admin"),
    "admin unmade": _("Made a plain user"),
    "user deleted": _("User deleted"),
    "thought deleted": _("Thought deleted"),
    "thoughts deleted": _("All thoughts deleted"),
}


def event_in_words(event: str) -> str:
    """Return an event in the active language; one that is not known here stays as it is."""
    return str(EVENTS.get(event, event))
