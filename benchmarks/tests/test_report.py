from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.machine import Machine
from benchmarks.measuring import Memory
from benchmarks.requests_result import Figure, RequestsResult, Round

MACHINE = Machine("AMD EPYC", 2, "Linux x86_64", "3.13.1", "18.0", "2026-01-01", optimized=True)


def _figure(scenario: str, connections: int, *server_cpu_us: float) -> Figure:
    rounds = [Round(cpu_us, 0, 0, 1000, 0.5, 1, 0) for cpu_us in server_cpu_us]
    return Figure(scenario, "floor", connections, rounds)


def test_table_is_aligned() -> None:
    """The first column is aligned to the left, all others to the right."""
    assert report.table(["name", "us"], [["a", "1"], ["longer", "1000"]]).splitlines() == [
        "| name   |   us |",
        "| ------ | ---: |",
        "| a      |    1 |",
        "| longer | 1000 |",
    ]


def test_request_is_compared_with_its_floor_and_budget() -> None:
    """Figures over one connection are compared with one, those over several with several."""
    figures = [
        _figure("floor", 1, 100, 100, 100),
        _figure("floor", 16, 50, 50, 50),
        _figure("GET list of 20", 1, 290, 300, 410),
        _figure("GET list of 20", 16, 300, 300, 300),
    ]

    text = str(RequestsResult(MACHINE, 1000, figures, {"thoughts": Memory(310, 200)}))
    *_, one, several = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith("| ")
    ]

    assert one[2:5] == ["300", "290-410", "3.0"]
    assert several[4] == "6.0"
    assert (one[-1], several[-1]) == ("350 us: met", "250 us: NOT met")
    assert "together 310, budget 300 MiB: NOT met" in text
    assert "Python 3.13.1 (optimized build)" in text


def test_table_replaces_the_one_in_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the text between the markers of that name changes."""
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text("A\n<!-- start -->\nold\n<!-- end of start -->\nB\n<!-- search -->\n")

    report.publish("start", "new \\1")

    assert readme.read_text() == (
        "A\n<!-- start -->\n\nnew \\1\n\n<!-- end of start -->\nB\n<!-- search -->\n"
    )
