"""What the README promises to a newcomer holds, and both languages promise the same."""

import json
import re
import subprocess
from typing import Any, NamedTuple

import pytest

from testkit.markdown import section
from testkit.system import System
from tooling.project import ROOT, SERVICES

ENGLISH = (ROOT / "README.md").read_text()
CHINESE = (ROOT / "README.zh-CN.md").read_text()
SCREENSHOT = ROOT / "docs" / "images" / "frontend.png"

# Between the outputs of the steps, so that each can be looked at on its own.
MARK = "----- next step -----"


class Tour(NamedTuple):
    """What each step of the tour printed."""

    login: str
    shared: dict[str, Any]
    found: list[dict[str, Any]]
    older: list[dict[str, Any]]


def code_blocks(text: str) -> list[str]:
    """Return the blocks of code in a Markdown text."""
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def links(text: str) -> list[str]:
    """Return where the links and pictures of a Markdown text lead, but for the other language."""
    targets = re.findall(r"\]\(([^)]+)\)|<(https?://[^>]+)>", text)
    return [a or b for a, b in targets if not a.startswith("README")]


@pytest.fixture(scope="module")
def tour(system: System) -> Tour:
    """The README's tour, taken in the running system by a shell that stops at the first fault."""
    steps = re.findall(r"```sh\n(.*?)```", section(ENGLISH, "## A tour with curl"), re.DOTALL)
    script = f"echo '{MARK}'\n".join(steps)
    urls = {
        "thoughts": system.thoughts_url,
        "users": system.users_url,
        "frontend": system.frontend_url,
    }
    for service in SERVICES:
        script = script.replace(f"http://localhost:{service.default_port}", urls[service.name])
    command = ["bash", "-eu", "-o", "pipefail", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    login, shared, found, older = done.stdout.split(f"{MARK}\n")
    return Tour(login, json.loads(shared), json.loads(found), json.loads(older))


def test_login_of_the_tour_prints_nothing(tour: Tour) -> None:
    """The token goes into a variable, and not onto the screen."""
    assert tour.login == ""


def test_tour_shares_a_thought_as_it_shows(tour: Tour) -> None:
    """Sharing answers what the README shows, but for the id and the time."""
    (shown,) = re.findall(r"```json\n(.*?)```", ENGLISH, re.DOTALL)
    varying = {"id": tour.shared["id"], "timestamp": tour.shared["timestamp"]}

    assert tour.shared == json.loads(shown) | varying


def test_tour_finds_what_it_shared(tour: Tour) -> None:
    """The newest thought that the search finds is the one that was shared."""
    assert tour.found[0] == tour.shared


def test_tour_pages_on(tour: Tour) -> None:
    """The page that the Link header leads to has the two thoughts before the newest two."""
    ids = [thought["id"] for thought in tour.older]

    assert len(ids) == 2
    assert ids == sorted(ids, reverse=True)
    assert ids[0] < tour.shared["id"]


def test_addresses_are_those_of_the_services() -> None:
    """The README names each service's address, with its default port."""
    named = set(re.findall(r"<http://localhost:(\d+)", ENGLISH))

    assert named == {str(service.default_port) for service in SERVICES}


def test_both_languages_have_the_same_code() -> None:
    """Every command, answer and drawing is the same in both languages."""
    assert code_blocks(CHINESE) == code_blocks(ENGLISH)


def test_both_languages_have_the_same_links() -> None:
    """Every link and picture is the same in both languages, in the same order."""
    assert links(CHINESE) == links(ENGLISH)


def test_both_languages_have_the_same_parts() -> None:
    """The headings are of the same number and levels."""
    levels = re.compile(r"^(#+) ", re.MULTILINE)

    assert levels.findall(CHINESE) == levels.findall(ENGLISH)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_readme_is_short(text: str) -> None:
    """A README has less than 150 lines; what is more belongs into the documents."""
    assert text.count("\n") < 150


def test_screenshot_is_small() -> None:
    """The picture is quick to load: under 300 KB."""
    assert 10_000 < SCREENSHOT.stat().st_size < 300_000
