"""The tables of the cost of search: disk space, writes, a storm, whole requests and pages."""

from collections.abc import Sequence

from benchmarks.search.figures import SearchResult
from benchmarks.tables import table


def costs_tables(results: Sequence[SearchResult]) -> list[str]:
    """Return the tables as Markdown."""
    return [_relations(results), _writes(results), _storms(results), _requests(results)]


def _relations(results: Sequence[SearchResult]) -> str:
    rows = []
    for relation in results[-1].relations:
        by_size = [
            next((one for one in result.relations if one.name == relation.name), None)
            for result in results
        ]
        megabytes = [f"{one.size_bytes / 1e6:,.0f}" if one else "" for one in by_size]
        a_thought = f"{relation.size_bytes / results[-1].size:.0f}"
        built = "" if relation.build_seconds is None else f"{relation.build_seconds:.0f}"
        rows.append([relation.name, *megabytes, a_thought, built])
    sizes = [f"MB at {result.size:,}" for result in results]
    return table(["table or index", *sizes, "bytes a thought", "seconds to build"], rows)


def _writes(results: Sequence[SearchResult]) -> str:
    rows = [
        [
            f"{result.size:,}",
            f"{writes.insert_cpu_us:.0f}",
            f"{writes.insert_without_index_cpu_us:.0f}",
            f"{writes.post_service_cpu_us:.0f}",
            f"{writes.post_postgres_cpu_us:.0f}",
            f"{writes.post.p50_ms:.1f}",
            f"{writes.post.p99_ms:.1f}",
            f"{writes.post.worst_ms:.1f}",
        ]
        for result in results
        for writes in [result.writes]
    ]
    header = ["writes: thoughts", "INSERT, CPU us", "without search index", "POST: service CPU us"]
    return table([*header, "POST: PostgreSQL CPU us", "POST p50", "POST p99", "POST worst"], rows)


def _storms(results: Sequence[SearchResult]) -> str:
    rows = [
        [
            f"{result.size:,}",
            f"{storm.answered} / {storm.refused}",
            f"{storm.searches.p50_ms:.0f}",
            f"{storm.searches.worst_ms:.0f}",
            f"{storm.others_idle.p99_ms:.1f}",
            f"{storm.others.p99_ms:.1f}",
            f"{storm.others.worst_ms:.0f}",
            str(storm.others_refused),
        ]
        for result in results
        for storm in [result.storm]
    ]
    header = ["storm: thoughts", "searches 200 / 503", "their p50", "their worst"]
    return table([*header, "others' p99, idle", "others' p99", "others' worst", "their 503"], rows)


def _requests(results: Sequence[SearchResult]) -> str:
    rows = []
    for result in results:
        floors = {
            # For a few requests the CPU clock may show 0.
            (cost.scenario, cost.connections > 1): cost.median.server_cpu_us or 1
            for cost in result.costs
        }
        rows += [
            [
                cost.scenario,
                f"{result.size:,}",
                str(cost.connections),
                f"{cost.median.server_cpu_us:.0f}",
                f"{cost.median.server_cpu_us / floors[cost.floor, cost.connections > 1]:.1f}",
                f"{cost.median.other_services_cpu_us:.0f}",
                f"{cost.median.postgres_cpu_us:.0f}",
                f"{cost.median.p50_ms:.1f}",
                f"{cost.median.p99_ms:.1f}",
            ]
            for cost in result.costs
        ]
    header = ["request", "thoughts", "connections", "server CPU, us", "x floor"]
    return table([*header, "other services, us", "PostgreSQL, us", "p50", "p99"], rows)
