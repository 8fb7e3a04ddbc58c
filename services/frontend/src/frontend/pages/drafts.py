"""Unsaved text: a draft travels with every form and page until it is stored."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from django.utils.translation import gettext, ngettext

MAX_CHARACTERS = 250

_FORM_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
# The Thoughts Backend's message for a text that consists of invisible characters.
_NOTHING_VISIBLE = "text: must hold something visible"


def new_form_key() -> str:
    """Return a unique key for a rendered form."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is not stored yet, with LF line breaks, and the key of its form."""

    text: str = ""
    form_key: str = field(default_factory=new_form_key)

    @property
    def idempotency_key(self) -> str:
        """Identical for the same text from the same form, so that it is stored once."""
        return f"{self.form_key}-{sha256(self.text.encode()).hexdigest()[:32]}"


def posted_draft(fields: Mapping[str, str]) -> Draft:
    """Return the draft from a form's fields. Browsers send line breaks as CR LF."""
    text = fields.get("text", "").replace("\r\n", "\n")
    form_key = fields.get("form_key", "")
    return Draft(text, form_key) if _FORM_KEY.fullmatch(form_key) else Draft(text)


def why_refused(text: str, explanation: str) -> str:
    """Return, for the user, why the backend rejected `text`; `explanation` is the backend's."""
    if not text.strip() or explanation == _NOTHING_VISIBLE:
        return gettext("There is nothing to share yet. Write something first.")
    if len(text) > MAX_CHARACTERS:
        excess = len(text) - MAX_CHARACTERS
        return ngettext(
            "A thought has at most %(limit)s characters. Yours is %(excess)s character too long.",
            "A thought has at most %(limit)s characters. Yours is %(excess)s characters too long.",
            excess,
        ) % {"limit": MAX_CHARACTERS, "excess": excess}
    return gettext("This text cannot be shared: %(explanation)s") % {
        "explanation": explanation or gettext("it was refused.")
    }
