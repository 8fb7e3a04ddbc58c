"""Markdown tables, and whether a figure is within its budget."""

from collections.abc import Sequence


def verdict(measured: float, budget: float | None, unit: str) -> str:
    """Return the budget and whether it was met; empty if there is no budget."""
    if budget is None:
        return ""
    return f"{budget:g}{unit}: {'met' if measured <= budget else 'NOT met'}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that is also aligned as plain text, with figures on the right."""
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]
    last = len(header) - 1

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if index in (0, last) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if index in (0, last) else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    return "\n".join([line(header), line(rule), *map(line, rows)])
