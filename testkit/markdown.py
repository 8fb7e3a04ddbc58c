"""Reading Markdown, as far as the tests of the documents need it."""

import re
from pathlib import Path


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of every table row in a Markdown text."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]


def section(text: str, heading: str) -> str:
    """Return the part of a Markdown text from a heading to the next one of its level."""
    level = heading.split(" ", maxsplit=1)[0]
    (_, _, rest) = text.partition(f"\n{heading}\n")
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def code_in(text: str) -> list[str]:
    """Return the lines of the code blocks in a Markdown text, and the code within its prose."""
    text = text.replace("\\\n", " ")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    indented = re.findall(r"^ {4}(\S.*)", text, re.MULTILINE)
    return [*lines, *indented, *re.findall(r"`([^`\n]+)`", text)]


def leads_somewhere(path: Path, link: str) -> bool:
    """Whether a relative link in the Markdown file at `path` has a target."""
    name, _, anchor = link.partition("#")
    target = path.parent / name if name else path
    if not anchor:
        return target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
    return anchor in {anchor_of(heading) for heading in headings}


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
