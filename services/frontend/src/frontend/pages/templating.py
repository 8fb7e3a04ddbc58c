"""The Jinja2 environment of the pages."""

from typing import Any

from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined

from frontend.pages.language import LANGUAGES, TAGS
from frontend.pages.presentation import cards, query
from frontend.serving.static_files import static_address


def make_environment(**options: Any) -> Environment:
    """Return the environment; Django calls this with its own options."""
    environment = Environment(  # noqa: S701  # autoescape is set among the options
        **{**options, "autoescape": True, "undefined": StrictUndefined},
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {
        "static": static_address,
        "languages": LANGUAGES,
        "language_tags": TAGS,
    }
    environment.filters |= {"cards": cards, "query": query}
    return environment
