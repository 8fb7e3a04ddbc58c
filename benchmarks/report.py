"""The tables: printed, saved as JSON in `results/`, and written to README.md."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from benchmarks.images_run import ImagesResult
from benchmarks.measuring import Figure, Memory
from benchmarks.requests_run import RequestsResult
from benchmarks.search.figures import SearchResult
from benchmarks.start_run import StartResult
from benchmarks.tables import table, verdict

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
MEMORY_BUDGET_MIB = 300
FRESH_CLONE_BUDGET_SECONDS = 60
SECOND_TIME_BUDGET_SECONDS = 8
IMAGE_BUDGET_MB = 90


Result = RequestsResult | StartResult | ImagesResult | SearchResult


def keep(name: str, result: Result) -> None:
    """Write `results/NAME.json`."""
    json = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_bytes(json)


def publish(name: str, text: str) -> None:
    """Replace the text between README.md's markers of that name."""
    readme = FOLDER / "README.md"
    marks = re.compile(f"(<!-- {name} -->\n).*(<!-- end of {name} -->)", re.DOTALL)
    readme.write_text(
        marks.sub(lambda match: f"{match[1]}\n{text}\n{match[2]}", readme.read_text())
    )


def requests_text(result: RequestsResult) -> str:
    """Return the machine, the table of requests and the table of memory, as Markdown."""
    machine = result.machine
    about = (
        f"{machine.day}: {machine.processor}, {machine.cores} cores, {machine.system}, "
        f"Python {machine.python}, PostgreSQL {machine.postgresql}; {result.thoughts:,} thoughts; "
        f"medians of {result.rounds} rounds."
    )
    return "\n\n".join([about, _requests_table(result.figures), _memory_table(result)]) + "\n"


def start_text(result: StartResult) -> str:
    """Return the table of the two starts, as Markdown."""
    rows = [
        ("fresh clone, packages cached", result.fresh_clone_seconds, FRESH_CLONE_BUDGET_SECONDS),
        ("second time", result.second_time_seconds, SECOND_TIME_BUDGET_SECONDS),
    ]
    cells = [
        [name, f"{seconds:.1f}", verdict(seconds, budget, " s")] for name, seconds, budget in rows
    ]
    return table(["`make up`", "seconds", "budget"], cells) + "\n"


def images_text(result: ImagesResult) -> str:
    """Return the table of the images, as Markdown; MB are 1,000,000 bytes, MiB 1,048,576."""
    rows = [
        [
            figures.name,
            f"{figures.over_base_bytes / 1e6:.1f}",
            f"{figures.compressed_bytes / 1e6:.1f}",
            f"{figures.cold_start_seconds:.1f}",
            f"{figures.memory_bytes / 2**20:.0f}",
            verdict(figures.over_base_bytes / 1e6, IMAGE_BUDGET_MB, " MB"),
        ]
        for figures in result.figures
    ]
    header = [
        "image",
        "over the base, MB",
        "compressed, MB",
        "cold start, s",
        "memory at rest, MiB",
    ]
    return table([*header, "budget"], rows) + "\n"


def _requests_table(figures: Sequence[Figure]) -> str:
    # Figures for one connection are compared with one, those for several with several.
    floors = {(figure.scenario, figure.connections > 1): figure.median for figure in figures}
    rows = []
    for figure in figures:
        median = figure.median
        floor = floors[figure.floor, figure.connections > 1]
        rows.append(
            [
                figure.scenario,
                str(figure.connections),
                f"{median.server_cpu_us:.0f}",
                f"{figure.server_cpu_us_min:.0f}-{figure.server_cpu_us_max:.0f}",
                f"{median.server_cpu_us / floor.server_cpu_us:.1f}",
                f"{median.other_services_cpu_us:.0f}",
                f"{median.postgres_cpu_us:.0f}",
                f"{median.requests_per_second:.0f}",
                f"{median.p50_ms:.1f}",
                f"{median.p99_ms:.1f}",
                f"{median.refused_percent:.1f}",
                verdict(median.server_cpu_us, figure.budget_us, " us"),
            ]
        )
    header = ["request", "connections", "server CPU, us", "min-max", "x floor"]
    header += [
        "other services, us",
        "PostgreSQL, us",
        "requests/s",
        "p50, ms",
        "p99, ms",
        "503, %",
        "budget",
    ]
    return table(header, rows)


def _memory_table(result: RequestsResult) -> str:
    rows = [
        [name, *_memory_cells(memory, result.memory_after[name]), ""]
        for name, memory in result.memory_at_rest.items()
    ]
    at_rest, after = _sum(result.memory_at_rest.values()), _sum(result.memory_after.values())
    met = verdict(at_rest.resident_mib, MEMORY_BUDGET_MIB, " MiB")
    rows.append(["together", *_memory_cells(at_rest, after), met])
    header = ["memory, MiB", "at rest, RSS", "PSS", "after the run, RSS", "PSS", "budget"]
    return table(header, rows)


def _memory_cells(at_rest: Memory, after: Memory) -> list[str]:
    figures = (
        at_rest.resident_mib,
        at_rest.proportional_mib,
        after.resident_mib,
        after.proportional_mib,
    )
    return [f"{figure:.0f}" for figure in figures]


def _sum(memories: Iterable[Memory]) -> Memory:
    pairs = [(memory.resident_mib, memory.proportional_mib) for memory in memories]
    return Memory(*map(sum, zip(*pairs, strict=True)))
