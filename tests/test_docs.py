"""The documents say what the code does: tables and names in them are compared with it.

Where a table is not what the code says, the failure shows what should stand there.
"""

import re
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import pytest
from prometheus_client import REGISTRY

from frontend.settings import Settings as FrontendSettings
from mythoughts_chassis.settings import (
    ApiSettings,
    OwnerSettings,
    ServiceSettings,
    describe_settings,
)
from testkit.markdown import code_in, leads_somewhere, section, table_rows
from thoughts_backend.settings import Settings as ThoughtsSettings
from tooling.project import ROOT
from users_backend.settings import Settings as UsersSettings

DOCS = ROOT / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text()
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "[a-z]*/*.md", "deploy/*/*.md", "docs/*/*.md", "services/*/*.md")
    for path in ROOT.glob(pattern)
)

_SOURCES = [
    source
    for folder in ROOT.iterdir()
    if folder.is_dir() and not folder.name.startswith(".")
    for source in folder.rglob("*.py")
]

# Each settings class, and the one whose settings stand in a table of their own.
SETTINGS: tuple[tuple[type, type | None], ...] = (
    (ServiceSettings, None),
    (ApiSettings, ServiceSettings),
    (OwnerSettings, ApiSettings),
    (ThoughtsSettings, ApiSettings),
    (UsersSettings, ApiSettings),
    (FrontendSettings, ServiceSettings),
)
# What prometheus_client tells by itself, of any Python program.
FOREIGN_METRICS = ("python_", "process_")


def settings_table(settings_class: type, base: type | None) -> str:
    """Return the table of the settings that a class has beyond its base; empty if it has none."""
    inherited = {field.name.upper() for field in fields(base)} if base else set()
    rows = [
        f"| `{name}` | {_default_in_words(default)} | {description} |"
        for name, description, default in describe_settings(settings_class)
        if name not in inherited
    ]
    return "\n".join(["| Name | Default | What it says |", "|---|---|---|", *rows]) if rows else ""


def _default_in_words(default: object) -> str:
    if default is MISSING:
        return "required"
    if default in ((), None):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


LIMITS = [row for row in table_rows((DOCS / "limits.md").read_text()) if row[0] != "what"]


@pytest.mark.parametrize(("settings_class", "base"), SETTINGS)
def test_settings_stand_in_the_document(settings_class: type, base: type | None) -> None:
    """docs/configuration.md has the name, default and description of every setting."""
    expected = settings_table(settings_class, base)

    assert expected in CONFIGURATION, (
        f"docs/configuration.md should have, for {settings_class.__module__}:\n\n{expected}\n"
    )


def test_no_setting_is_documented_that_does_not_exist() -> None:
    """Every name in the tables of the services' settings is that of a setting."""
    existing = {name for cls, _ in SETTINGS for name, *_ in describe_settings(cls)}

    documented = {row[0].strip("`") for row in table_rows(section(CONFIGURATION, "## Services"))}

    assert documented - {"Name"} == existing


def test_variables_of_make_stand_in_the_document() -> None:
    """docs/configuration.md names the variables that the Makefile and its programs read."""
    makefile = (ROOT / "Makefile").read_text()
    programs = "".join(
        path.read_text()
        for folder in ("tooling", "local", "deploy")
        for path in (ROOT / folder).glob("*.py")
    )
    patterns = r"\b([A-Z][A-Z_]*)=", r"\$\((?:origin )?([A-Z][A-Z_]+)\)", r"ifndef ([A-Z_]+)"
    read = {name for pattern in patterns for name in re.findall(pattern, makefile)}
    read |= set(re.findall(r'environment(?:\.get\(|, )"([A-Z_]+)"', programs))

    documented = {row[0].strip("`") for row in table_rows(section(CONFIGURATION, "## Make"))}

    assert documented - {"Name"} == read - {"SHELL"}


def test_settings_of_make_are_inherited() -> None:
    """Of these variables, the Makefile hands on those that its programs read."""
    makefile = (ROOT / "Makefile").read_text()
    handed_on = re.search(r"^settings = ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    documented = {row[0].strip("`") for row in table_rows(section(CONFIGURATION, "## Make"))}

    # These the Makefile reads itself, and DATABASE_URL counts on the command line alone.
    others = {
        "Name",
        "ARGS",
        "CLUSTER",
        "NO_BROWSER",
        "NO_NODE",
        "UPGRADE",
        "PYTHON",
        "DATABASE_URL",
    }

    assert handed_on is not None
    assert set(handed_on[1].replace("\\", "").split()) == documented - others


def test_verbs_of_make_stand_in_the_document() -> None:
    """CONTRIBUTING.md has every verb of the Makefile, in its words and its order."""
    verbs = re.findall(r"^([a-z-]+):.*?## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    expected = "\n".join(f"| `make {verb}` | {text} |" for verb, text in verbs)

    assert expected in (ROOT / "CONTRIBUTING.md").read_text(), (
        f"CONTRIBUTING.md should have:\n\n{expected}\n"
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_verbs_in_documents_exist(path: Path) -> None:
    """Every `make VERB` in a Markdown file is one of the Makefile's."""
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(code_in(path.read_text()))

    used = set(re.findall(r"^make ([a-z][a-z-]*)", code, re.MULTILINE))

    assert used - verbs == set()


# CONTRIBUTING.md shows how to add files.
@pytest.mark.parametrize(
    "path",
    [path for path in DOCUMENTS if path.name != "CONTRIBUTING.md"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_code_named_in_documents_exists(path: Path) -> None:
    """Every `file.py`, and every `file.py: name`, in a Markdown file is in the code."""
    named = re.findall(r"`([\w/.-]+\.py)(?:: ([\w.]+))?`", path.read_text())

    missing = [(file, name) for file, name in named if not _is_in_code(file, name)]

    assert missing == []


def _is_in_code(file: str, name: str) -> bool:
    """Whether a file whose path ends with `file` defines all parts of `name`."""
    definitions = [rf"^ *(async def|def|class) {part}\b" for part in name.split(".") if part]
    return any(
        all(re.search(definition, source.read_text(), re.MULTILINE) for definition in definitions)
        for source in _SOURCES
        if f"/{source}".endswith(f"/{file}")
    )


def test_metrics_stand_in_the_document() -> None:
    """docs/operations/observe.md lists exactly the metrics that the services register."""
    for service in ("thoughts_backend", "users_backend", "frontend"):
        import_module(f"{service}.__main__")
    registered = {
        metric.name for metric in REGISTRY.collect() if not metric.name.startswith(FOREIGN_METRICS)
    }
    observe = (DOCS / "operations" / "observe.md").read_text()

    documented = {row[0].strip("`") for row in table_rows(section(observe, "## Metrics"))}

    assert documented - {"Name"} == registered


@pytest.mark.parametrize(("limit", "value", "constant"), LIMITS)
def test_limits_are_those_of_the_code(limit: str, value: str, constant: str) -> None:
    """Each value in docs/limits.md's table is that of the constant it names."""
    actual = resolve_name(constant.strip("`"))

    written = re.match(r"[\d,.]+", value)

    assert written is not None
    assert float(written.group().replace(",", "")) == float(actual)


def test_decisions_are_listed() -> None:
    """docs/adr/README.md links to every decision, by its title, in order."""
    records = sorted(path for path in (DOCS / "adr").glob("0*.md"))
    titles = [path.read_text().splitlines()[0].removeprefix("# ") for path in records]
    expected = "\n".join(
        f"- [{title}]({path.name})" for title, path in zip(titles, records, strict=True)
    )

    assert expected in (DOCS / "adr" / "README.md").read_text(), (
        f"docs/adr/README.md should have:\n\n{expected}\n"
    )


@pytest.mark.parametrize("folder", ["operations", "kubernetes"])
def test_folders_have_a_map(folder: str) -> None:
    """The README of a folder links to every other page of it."""
    pages = {path.name for path in (DOCS / folder).glob("*.md")} - {"README.md"}
    links = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / folder / "README.md").read_text()))

    assert links == pages


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link in a Markdown file leads to a file, and to a heading of it if it says."""
    text = path.read_text()
    links = re.findall(r"\]\((?!https?://)([^)\s]+)\)", text)

    broken = [link for link in links if not leads_somewhere(path, link)]

    assert broken == []
