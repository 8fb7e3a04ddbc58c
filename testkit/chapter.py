"""The commands of docs/chapter.md, in their order."""

import re

from tooling.project import ROOT

PAGE = (ROOT / "docs" / "chapter.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
