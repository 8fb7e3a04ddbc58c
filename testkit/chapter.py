"""The commands of docs/chapter.md, in their order."""

import re

from tooling.project import ROOT

PAGE = (ROOT / "docs" / "chapter.md").read_text()


def _commands_in(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


COMMANDS = _commands_in(PAGE)
# The same, by the heading above them.
SECTIONS = {
    heading: _commands_in(text)
    for heading, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
