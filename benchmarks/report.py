"""Saves results as JSON in `results/`, and writes their tables into README.md."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"


def save(name: str, result: object) -> None:
    """Write `results/NAME.json`."""
    json = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
    (RESULTS / f"{name}.json").write_bytes(json)


def publish(name: str, text: str) -> None:
    """Replace the text between README.md's markers of that name."""
    readme = FOLDER / "README.md"
    marks = re.compile(f"(<!-- {name} -->\n).*(<!-- end of {name} -->)", re.DOTALL)
    readme.write_text(
        marks.sub(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", readme.read_text())
    )


def verdict(measured: float, budget: float | None, unit: str) -> str:
    """Return the budget and whether it was met; empty if there is no budget."""
    if budget is None:
        return ""
    return f"{budget:g}{unit}: {'met' if measured <= budget else 'NOT met'}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that is also aligned as plain text, with figures on the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        for row in (header, ["-" * (width - 1) + ":" for width in widths], *rows)
    ]
    # The first column has names.
    for line, row in zip(lines, (header, ["-" * widths[0]], *rows), strict=True):
        line[0] = row[0].ljust(widths[0])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
