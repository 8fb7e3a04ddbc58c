"""The table of the search benchmark, and its limits."""

from collections.abc import Mapping, Sequence

import msgspec

from benchmarks.report import RESULTS, table
from benchmarks.search.figures import Figure, SearchResult
from benchmarks.search.measures import MIX, MIX_CLIENTS

SMALL = 100_000
CPU = "postgres_cpu_us"
# For every class: what is measured, the limit, and its name.
LIMITS_OF_SMALL = (("p50_ms", 1.5, "p50"), (CPU, 800, "PostgreSQL's us"))
LIMITS = (("p50_ms", 10, "p50"), ("p99_ms", 50, "p99"), ("worst_ms", 150, "worst"))


def saved_results() -> list[SearchResult]:
    """Return the results in `results/`, the smallest size first."""
    files = RESULTS.glob("search-*.json")
    results = [msgspec.json.decode(file.read_bytes(), type=SearchResult) for file in files]
    return sorted(results, key=lambda result: result.size)


def search_text(results: Sequence[SearchResult]) -> str:
    """Return everything as Markdown; the results must be sorted by size."""
    limits = "\n".join(
        f"- {result.size:,} thoughts, {result.machine.day}: {_limits(result)}."
        for result in results
    )
    return f"{results[-1].machine}.\n\n{_table(results)}\n\n{limits}"


def _table(results: Sequence[SearchResult]) -> str:
    last = results[-1]
    by_size = [result.by_kind() for result in results]
    many, cold = last.by_kind(clients=MIX_CLIENTS), last.by_kind(cache="cold")
    matches: dict[str, list[int]] = {}
    for term in last.terms:
        matches.setdefault(term.kind, []).append(term.matches)
    rows = [
        [
            kind,
            f"{min(matches[kind]):,} to {max(matches[kind]):,}" if kind in matches else "",
            *(cell for figures in by_size for cell in _cells(figures.get(kind), "p50_ms", CPU)),
            *_cells(by_size[-1].get(kind), "p99_ms", "worst_ms"),
            *_cells(many.get(kind), "p50_ms", "p99_ms"),
            *_cells(cold.get(kind), "p50_ms", "worst_ms"),
            _not_complete(by_size[-1].get(kind)),
        ]
        for kind in dict.fromkeys([*(kind for figures in by_size for kind in figures), MIX])
    ]
    sizes = [cell for result in results for cell in (f"{result.size:,}: p50", "PostgreSQL, us")]
    header = ["class", "matches", *sizes, "p99", "worst", f"{MIX_CLIENTS} clients: p50", "p99"]
    return table([*header, "cold: p50", "worst", "503 / partial"], rows)


def _limits(result: SearchResult) -> str:
    limits = LIMITS_OF_SMALL if result.size <= SMALL else LIMITS
    return ". ".join(_limit(result.by_kind(), *limit) for limit in limits)


def _limit(figures: Mapping[str, Figure], measure: str, limit: float, name: str) -> str:
    """Compare each class with the limit; name the largest."""
    measured = {kind: _measured(figure, measure) for kind, figure in figures.items()}
    largest = sorted(measured, key=lambda kind: measured[kind], reverse=True)
    over = [f"{kind} {measured[kind]:.1f}" for kind in largest if measured[kind] >= limit]
    if over:
        return f"{name} under {limit:g}: NOT met by {len(over)} ({'; '.join(over[:3])})"
    return f"{name} under {limit:g}: met, at most {measured[largest[0]]:.1f} ({largest[0]})"


def _measured(figure: Figure, measure: str) -> float:
    holder = figure if measure == CPU else figure.latencies
    return float(getattr(holder, measure) or 0)


def _cells(figure: Figure | None, *measures: str) -> list[str]:
    if figure is None:
        return [""] * len(measures)
    return [f"{_measured(figure, one):.{0 if one == CPU else 1}f}" for one in measures]


def _not_complete(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return f"{figure.refused} / {figure.incomplete} of {figure.latencies.requests}"
