"""The chart of search: latency against the number of thoughts, one panel per class."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.search.alternatives import FULL_TEXT, ILIKE, TRIGRAMS
from benchmarks.search.figures import OURS, SearchResult
from benchmarks.search.report import P50_MS, figures_of

COLUMNS = 3

# Readable on white and on black, because the chart has a transparent background.
_TEXT = "#808890"
_LINES = {
    OURS: ("#2f81f7", "-", 2.5),
    ILIKE: ("#d4553f", "--", 1.2),
    TRIGRAMS: ("#c08a00", "--", 1.2),
    FULL_TEXT: ("#3a9d5d", "--", 1.2),
}


def draw(results: Sequence[SearchResult], path: Path) -> None:
    """Write the chart as SVG; the same results give the same file."""
    kinds = list(figures_of(results[-1], alternative=ILIKE))
    rows = -(-len(kinds) // COLUMNS)
    with mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "search",
            "font.size": 9,
            "text.color": _TEXT,
            "axes.labelcolor": _TEXT,
            "axes.edgecolor": _TEXT,
            "xtick.color": _TEXT,
            "ytick.color": _TEXT,
        }
    ):
        figure = Figure(figsize=(3.2 * COLUMNS, 2.2 * rows + 0.6), layout="constrained")
        panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for index, panel in enumerate(panels.flat):
            if index < len(kinds):
                _draw_panel(panel, kinds[index], results)
            else:
                panel.set_axis_off()
        lines = {line.get_label(): line for panel in panels.flat for line in panel.get_lines()}
        named = [lines[name] for name in _LINES if name in lines]
        figure.legend(handles=named, loc="outside upper center", ncols=len(named), frameon=False)
        figure.supxlabel("thoughts")
        figure.supylabel("p50, ms")
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _draw_panel(panel: Axes, kind: str, results: Sequence[SearchResult]) -> None:
    panel.set_title(kind, fontsize=9)
    panel.loglog()
    panel.minorticks_off()
    panel.grid(visible=True, alpha=0.25)
    sizes = [result.size for result in results]
    panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
    panel.yaxis.set_major_formatter("{x:,g}")
    panel.axhline(P50_MS, color=_TEXT, linewidth=0.8, linestyle=":")
    for name, (color, linestyle, width) in _LINES.items():
        points = [
            (result.size, found[kind].latencies.p50_ms)
            for result in results
            if kind in (found := figures_of(result, alternative=name))
        ]
        if points:
            panel.plot(
                *zip(*points, strict=True),
                color=color,
                ls=linestyle,
                lw=width,
                marker="o",
                ms=3,
                label=name,
            )
