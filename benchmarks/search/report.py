"""The tables of the search benchmark: verdicts, each class of terms, the alternatives."""

from collections.abc import Sequence

from benchmarks.search.alternatives import FULL_TEXT, ILIKE, STATEMENT_SECONDS, TRIGRAMS
from benchmarks.search.asks import FEED
from benchmarks.search.costs_report import costs_tables
from benchmarks.search.figures import OURS, Figure, SearchResult
from benchmarks.search.ours import MIX, MIX_CLIENTS
from benchmarks.tables import table

P50_MS, P99_MS, WORST_MS = 10, 50, 150
MIX_P99_MS = 250
FEED_P99_MS = 5
GROWTH = 4
STORM_TIMES = 10
INDEX_TIMES = 2


def search_text(results: Sequence[SearchResult]) -> str:
    """Return everything as Markdown; the results must be sorted by size."""
    last = results[-1]
    machine = last.machine
    about = (
        f"{machine.day}: {machine.processor}, {machine.cores} cores, {machine.system}, "
        f"Python {machine.python}, PostgreSQL {machine.postgresql}. Times are in milliseconds."
    )
    parts = [about, _verdicts(results), _classes(results), _many_and_cold(last)]
    return "\n\n".join([*parts, _alternatives(results), *costs_tables(results)]) + "\n"


def figures_of(
    result: SearchResult, *, alternative: str = OURS, clients: int = 1, cache: str = "warm"
) -> dict[str, Figure]:
    """Return the figures of this kind, by class."""
    return {
        figure.kind: figure
        for figure in result.figures
        if (figure.alternative, figure.clients, figure.cache) == (alternative, clients, cache)
    }


def _verdicts(results: Sequence[SearchResult]) -> str:
    last, ours = results[-1], figures_of(results[-1])
    searches = [figure for kind, figure in ours.items() if not kind.startswith(FEED)]
    feeds = [figure for kind, figure in ours.items() if kind.startswith(FEED)]
    mix = figures_of(last, clients=MIX_CLIENTS)[MIX].latencies
    storm, writes = last.storm, last.writes
    growth = [
        (ours[kind].latencies.p50_ms / figure.latencies.p50_ms, kind)
        for kind, figure in figures_of(results[0]).items()
        if kind in ours
    ]
    p50, p99, worst, feed = (
        [(getattr(one.latencies, name), one.kind) for one in kinds]
        for name, kinds in (
            ("p50_ms", searches),
            ("p99_ms", searches),
            ("worst_ms", searches),
            ("p99_ms", feeds),
        )
    )
    storm_times = storm.others.p99_ms / storm.others_idle.p99_ms
    # For a few inserts the CPU clock may show 0.
    without_index = max(writes.insert_without_index_cpu_us, 1)
    index_times = (writes.insert_cpu_us - without_index) / without_index
    rows = [
        _verdict("p50 of every class", p50, P50_MS),
        _verdict("p99 of every class", p99, P99_MS),
        _verdict("worst of every class", worst, WORST_MS),
        _verdict(f"p99 of {MIX_CLIENTS} clients", [(mix.p99_ms, MIX)], MIX_P99_MS),
        _verdict("p99 of any page of any feed", feed, FEED_P99_MS),
        _verdict(f"growth of p50 from {results[0].size:,}, times", growth, GROWTH),
        _verdict("p99 of others in a storm, times idle", [(storm_times, storm.kind)], STORM_TIMES),
        _verdict("CPU of the index, times an INSERT without it", [(index_times, "")], INDEX_TIMES),
    ]
    return table([f"at {last.size:,} thoughts", "most", "limit", "verdict", "where"], rows)


def _verdict(measure: str, measured: Sequence[tuple[float, str]], limit: float) -> list[str]:
    """Compare the largest with the limit; name each class over the limit, or the largest."""
    ordered = sorted(measured, reverse=True)
    most, where = ordered[0]
    over = [kind for value, kind in ordered if value >= limit]
    verdict = "NOT met" if over else "met"
    return [measure, f"{most:.1f}", f"< {limit:g}", verdict, "; ".join(over) or where]


def _classes(results: Sequence[SearchResult]) -> str:
    last, by_size = results[-1], [figures_of(result) for result in results]
    matches: dict[str, list[int]] = {}
    for term in last.terms:
        matches.setdefault(term.kind, []).append(term.matches)
    rows = []
    for kind, figure in by_size[-1].items():
        found, times = matches.get(kind, []), figure.latencies
        rows.append(
            [
                kind,
                f"{min(found):,} to {max(found):,}" if found else "",
                *(_p50(figures.get(kind)) for figures in by_size),
                *map(_ms, (times.p95_ms, times.p99_ms, times.worst_ms)),
                "" if figure.postgres_cpu_us is None else f"{figure.postgres_cpu_us:.0f}",
                f"{figure.refused} / {figure.incomplete} of {times.requests}",
            ]
        )
    sizes = [f"p50 at {result.size:,}" for result in results]
    header = ["class, one client, warm", "matches", *sizes, "p95", "p99", "worst"]
    return table([*header, "PostgreSQL, us", "503 / incomplete"], rows)


def _many_and_cold(last: SearchResult) -> str:
    many, cold = figures_of(last, clients=MIX_CLIENTS), figures_of(last, cache="cold")
    rows = [
        [
            kind,
            *_times(many.get(kind), "p50_ms", "p95_ms", "p99_ms", "worst_ms"),
            *_times(cold.get(kind), "p50_ms", "worst_ms"),
            str(many[kind].refused if kind in many else 0),
        ]
        for kind in [MIX, *figures_of(last)]
        if kind in many or kind in cold
    ]
    clients = f"{MIX_CLIENTS} clients:"
    header = [f"class, {last.size:,} thoughts", f"{clients} p50", "p95", "p99", "worst"]
    return table([*header, "cold: p50", "cold: worst", "503"], rows)


def _alternatives(results: Sequence[SearchResult]) -> str:
    names = (OURS, ILIKE, TRIGRAMS, FULL_TEXT)
    rows = []
    for kind in figures_of(results[-1], alternative=ILIKE):
        for result in results:
            figures = [figures_of(result, alternative=name).get(kind) for name in names]
            rows.append([kind, f"{result.size:,}", *map(_p50, figures)])
    return table(["p50 of a class", "thoughts", *names], rows)


def _p50(figure: Figure | None) -> str:
    if figure is None:
        return ""
    p50 = figure.latencies.p50_ms
    return f"> {p50:.0f}" if p50 >= STATEMENT_SECONDS * 1000 else _ms(p50)


def _times(figure: Figure | None, *names: str) -> list[str]:
    return ["" if figure is None else _ms(getattr(figure.latencies, name)) for name in names]


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f}"
