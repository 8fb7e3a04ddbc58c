"""docs/security-asvs.md answers each requirement once, and the tests that it names exist."""

import re
from collections import Counter
from collections.abc import Iterator

from frontend.pages.words import EVENTS
from testkit.markdown import section, table_rows
from tooling.project import ROOT

DOCUMENT = (ROOT / "docs/security-asvs.md").read_text()
# The requirements of levels 1 and 2, by chapter and section (OWASP ASVS 5.0). Within a section
# they are numbered from 1.
REQUIREMENTS = {
    "1.1": 2,
    "1.2": 9,
    "1.3": 11,
    "1.4": 3,
    "1.5": 2,
    "2.1": 3,
    "2.2": 3,
    "2.3": 4,
    "2.4": 1,
    "3.2": 2,
    "3.3": 4,
    "3.4": 6,
    "3.5": 5,
    "3.7": 2,
    "4.1": 3,
    "4.2": 1,
    "4.3": 2,
    "4.4": 4,
    "5.1": 1,
    "5.2": 3,
    "5.3": 2,
    "5.4": 3,
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "8.1": 2,
    "8.2": 3,
    "8.3": 1,
    "8.4": 1,
    "9.1": 3,
    "9.2": 4,
    "10.1": 2,
    "10.2": 2,
    "10.3": 4,
    "10.4": 11,
    "10.5": 5,
    "10.6": 2,
    "10.7": 3,
    "11.1": 2,
    "11.2": 3,
    "11.3": 3,
    "11.4": 4,
    "11.5": 1,
    "11.6": 1,
    "12.1": 3,
    "12.2": 2,
    "12.3": 4,
    "13.1": 1,
    "13.2": 5,
    "13.3": 2,
    "13.4": 5,
    "14.1": 2,
    "14.2": 4,
    "14.3": 3,
    "15.1": 3,
    "15.2": 3,
    "15.3": 7,
    "16.1": 1,
    "16.2": 5,
    "16.3": 4,
    "16.4": 3,
    "16.5": 3,
    "17.1": 1,
    "17.2": 4,
    "17.3": 2,
}
STATES = ("met", "met in part, or by the operator", "not met", "does not apply")


def numbers(cell: str) -> Iterator[str]:
    """Yield the requirements of a row, which may have ranges: `1.2.6 to 1.2.8, 1.3.1`."""
    for part in cell.split(", "):
        first, _, last = part.partition(" to ")
        section, _, start = first.rpartition(".")
        end = (last or first).rpartition(".")[2]
        yield from (f"{section}.{number}" for number in range(int(start), int(end) + 1))


def answers() -> list[list[str]]:
    """Return the rows that answer requirements."""
    return [row for row in table_rows(DOCUMENT) if row[0][0].isdigit()]


def state_of(row: list[str]) -> str:
    """Return the state under which the first table counts a row."""
    state = row[1]
    if state in ("met in part", "by the operator"):
        return "met in part, or by the operator"
    return "met" if state == "met behind TLS" else state


def test_each_requirement_has_one_answer() -> None:
    """No requirement of levels 1 and 2 is missing, made up or answered twice."""
    expected = [
        f"{section}.{number}"
        for section, count in REQUIREMENTS.items()
        for number in range(1, count + 1)
    ]

    answered = [number for row in answers() for number in numbers(row[0])]

    assert sorted(answered) == sorted(expected)


def test_states_are_counted() -> None:
    """The first table counts the requirements in each state."""
    counted: Counter[str] = Counter()
    for row in answers():
        counted[state_of(row)] += len(list(numbers(row[0])))

    table = {row[0]: row[1] for row in table_rows(DOCUMENT) if row[0] in STATES}

    assert table == {state: str(counted[state]) for state in STATES}


def test_named_tests_exist() -> None:
    """Each test that an answer names is in the repository."""
    defined = {
        name
        for folder in ("chassis", "services", "tests", "local", "deploy")
        for path in (ROOT / folder).rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }

    named = {name for row in answers() for name in re.findall(r"`(test_\w+)`", row[-1])}

    assert len(named) > 50
    assert named <= defined


def test_events_of_the_audit_log_have_words() -> None:
    """The document lists the events that the pages have words for, and the code records them."""
    document = (ROOT / "docs/operations/audit.md").read_text()
    rows = table_rows(section(document, "## What is recorded"))[1:]
    documented = {event for row in rows for event in re.findall(r"`([a-z ]+)`", row[0])}
    code = "".join(
        path.read_text()
        for pattern in ("services/*_backend/src/*/*.py", "chassis/src/*/*.py")
        for path in ROOT.glob(pattern)
    )

    assert documented == set(EVENTS)
    assert [event for event in documented if f'"{event}"' not in code] == []
