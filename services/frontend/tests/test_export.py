"""Exporting one's own thoughts, as JSON and as a table."""

import csv
import http.client
import io
import json
import re

import pytest

from frontend.pages.page_request import MAX_EXPORTS
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser
from testkit.fake_backend import Call, FakeThoughtsBackend, Handler, Reply
from testkit.http_client import HttpClient, read_answer
from testkit.token_maker import TokenMaker

JSON, CSV = "/account/export/thoughts.json", "/account/export/thoughts.csv"


def rows(text: str) -> list[list[str]]:
    """The rows of a table with a byte order mark."""
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


@pytest.mark.parametrize("path", ["/account/export/", JSON, CSV])
def test_export_needs_a_login(browser: Browser, path: str) -> None:
    """Visitors who are not logged in get the login page."""
    assert browser.get(path).form("/login/").fields["next"] == path


def test_page_leads_to_both_files(bruce: Browser) -> None:
    """The page of the account leads to the files."""
    page = bruce.get(bruce.get("/account/").link("Export your thoughts"))

    assert (page.link("JSON"), page.link("Table (CSV)")) == (JSON, CSV)


def test_json_has_all_own_thoughts_and_no_others(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """The JSON file has every own thought as the API shows it, over several calls, newest first."""
    for number in range(250):
        thoughts.add("bruce", f'雨 {number}\n"quoted"')
        thoughts.add("stephen", "not mine")

    exported = json.loads(bruce.get(JSON).text)

    assert exported == [t for t in reversed(thoughts.thoughts) if t["username"] == "bruce"]


def test_table_has_all_own_thoughts(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """The table has a header and a row for each thought, whatever is in its text."""
    texts = ['Two\nlines, a comma and "quotes"', "雨", "x" * 250] + ["Rain"] * 150
    for text in texts:
        thoughts.add("bruce", text)

    header, *exported = rows(bruce.get(CSV).text)

    assert header == ["id", "timestamp", "text"]
    assert [row[2] for row in reversed(exported)] == texts
    assert exported[-1][:2] == ["1", "1962-05-11T09:53:41+00:00"]


@pytest.mark.parametrize("path", [JSON, CSV])
def test_export_without_thoughts_is_valid(bruce: Browser, path: str) -> None:
    """Without thoughts the JSON file is an empty array, and the table has only its header."""
    text = bruce.get(path).text

    assert (json.loads(text) if path == JSON else rows(text)[1:]) == []


@pytest.mark.security
@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201"],
)
def test_formula_is_harmless(bruce: Browser, thoughts: FakeThoughtsBackend, text: str) -> None:
    """A text that a spreadsheet takes for a formula has an apostrophe before it in the table."""
    thoughts.add("bruce", text)

    assert rows(bruce.get(CSV).text)[1][2] == f"'{text}"
    assert json.loads(bruce.get(JSON).text)[0]["text"] == text


@pytest.mark.parametrize(("path", "extension"), [(JSON, "json"), (CSV, "csv")])
def test_file_has_a_name_and_is_not_stored(bruce: Browser, path: str, extension: str) -> None:
    """The file is saved under a name with the date, and no cache keeps it."""
    answer = bruce.get(path)

    name = rf'attachment; filename="thoughts-\d{{4}}-\d\d-\d\d\.{extension}"'
    assert re.fullmatch(name, answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store"


def test_head_reads_no_more_than_the_first_page(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """HEAD of a file does not make the whole file, and leaves room for other exports."""
    for _ in range(300):
        thoughts.add("bruce", "Rain")

    statuses = {bruce.get(JSON, method="HEAD").status for _ in range(2 * MAX_EXPORTS)}

    assert statuses == {200}
    assert len(thoughts.calls) == 2 * MAX_EXPORTS


def test_backend_that_is_away_at_the_start_gives_a_page(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Without the Thoughts Backend there is a page with status 503, and no file."""
    thoughts.stop()

    answers = [bruce.get(JSON) for _ in range(2 * MAX_EXPORTS)]

    assert {answer.status for answer in answers} == {503}
    assert "This cannot be shown or changed at the moment." in answers[-1].words


def fail_at_the_second_page(thoughts: FakeThoughtsBackend) -> None:
    """Let the backend answer only the first page."""

    def answer(handler: Handler, call: Call) -> None:
        handler.reply(Reply(500) if "max_id" in call.query else thoughts.answer(call))

    thoughts.fault = answer


@pytest.mark.parametrize("path", [JSON, CSV])
def test_failure_in_the_middle_is_noticed(
    bruce: Browser, thoughts: FakeThoughtsBackend, path: str
) -> None:
    """A file that could not be completed ends as a broken response, not as a short file."""
    for _ in range(300):
        thoughts.add("bruce", "Rain")
    fail_at_the_second_page(thoughts)

    for _ in range(2 * MAX_EXPORTS):
        with pytest.raises(http.client.IncompleteRead):
            bruce.get(path)


def test_export_over_http_1_0_is_refused(
    frontend: RunningFrontend, thoughts: FakeThoughtsBackend, token_maker: TokenMaker
) -> None:
    """Where a file that was cut off would look complete there is a page that says why, no file."""
    thoughts.add("bruce", "Rain")
    cookie = f"Cookie: mythoughts_session={token_maker.token('bruce')}\r\n"
    with HttpClient(frontend.url).connection() as connection:
        connection.sendall(f"GET {JSON} HTTP/1.0\r\nHost: x\r\n{cookie}\r\n".encode())
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.0 505 ")
    assert b"<title>Problem: " in answer
    assert b"Exports need HTTP/1.1" in answer
    assert thoughts.calls == []


def test_exports_leave_threads_for_others(
    bruce: Browser,
    frontend: RunningFrontend,
    thoughts: FakeThoughtsBackend,
    token_maker: TokenMaker,
) -> None:
    """Only a few exports run at once; another one gets a page that says so, with status 503."""
    for _ in range(101):
        thoughts.add("bruce", "Rain")

    def stall_at_the_second_page(handler: Handler, call: Call) -> None:
        if "max_id" in call.query:
            thoughts.released.wait(60)
        handler.reply(thoughts.answer(call))

    thoughts.fault = stall_at_the_second_page
    running = [begin_export(frontend, token_maker) for _ in range(MAX_EXPORTS)]

    page = bruce.get(JSON)
    thoughts.released.set()
    bodies = [json.loads(response.read()) for response in running]
    after = bruce.get(JSON)

    assert page.status == 503
    assert "Too many exports are running." in page.words
    assert [len(body) for body in bodies] == [101] * MAX_EXPORTS
    assert len(json.loads(after.text)) == 101


def begin_export(frontend: RunningFrontend, token_maker: TokenMaker) -> http.client.HTTPResponse:
    """Ask for the file as bruce, and return the response once its header is there."""
    connection = http.client.HTTPConnection("127.0.0.1", frontend.port, timeout=60)
    cookie = f"mythoughts_session={token_maker.token('bruce')}"
    connection.request("GET", JSON, headers={"Cookie": cookie})
    return connection.getresponse()
