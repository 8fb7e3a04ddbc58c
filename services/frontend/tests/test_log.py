"""What the Frontend logs: never a secret, and nothing that metrics cover better."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testkit.fake_backend import FakeThoughtsBackend
from testkit.service_process import MakeProcess
from testkit.token_maker import TokenMaker
from tooling.project import FRONTEND

PASSWORD = "open-sesame"
CSRF_TOKEN = "a" * 32
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def broken_source(tmp_path: Path) -> Path:
    """A folder with a Frontend whose templates raise errors."""
    package = tmp_path / "source" / "frontend"
    shutil.copytree(FRONTEND.folder / "src" / "frontend", package)
    (package / "templates" / "base.html").write_text("{{ 1 // 0 }}")
    return package.parent


@pytest.mark.parametrize("output", ["json", "console"])
def test_fault_shows_no_secret(
    make_process: MakeProcess, broken_source: Path, token_maker: TokenMaker, output: str
) -> None:
    """No password and no part of a token appears in the log of a page that failed."""
    token = token_maker.token("bruce")
    broken = make_process(PYTHONPATH=str(broken_source), LOG_FORMAT=output, LOG_LEVEL="debug")
    http = broken.start_in_any_form("serving")
    cookies = {"Cookie": f"mythoughts_session={token}; mythoughts_csrf={CSRF_TOKEN}"}
    login = {"username": "bruce", "password": PASSWORD, "csrfmiddlewaretoken": CSRF_TOKEN}
    answers = [
        http.post("/login/", headers=cookies, form=login | {"text": "A draft."}),
        http.post("/login/", headers=cookies, form=login | {"username": ""}),
        http.post("/login/", headers={"Cookie": cookies["Cookie"].split(";")[0]}, form=login),
        http.get("/thoughts/", headers=cookies),
        http.get("/thoughts/", headers=cookies | {"Authorization": f"Bearer {token}"}),
    ]
    broken.stop()

    written = "\n".join(broken.output)
    assert [answer.status for answer in answers] == [500] * len(answers)
    assert "ZeroDivisionError" in written
    assert [part for part in (PASSWORD, CSRF_TOKEN, *token.split(".")) if part in written] == []


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/search?" + "a=1&" * 1001, FORM, b""),
        ("/login/", FORM, b"a=1&" * 1001),
        ("/login/", "multipart/form-data", b"no boundary"),
        ("/login/", f"{FORM}; charset=utf-16", b"username=x"),
    ],
    ids=["many parameters", "many fields", "broken form", "other charset"],
)
def test_refused_request_is_no_fault(
    make_process: MakeProcess, path: str, content_type: str, body: bytes
) -> None:
    """What anybody can send causes no error in the log, and no traceback."""
    frontend = make_process(LOG_LEVEL="debug")
    http = frontend.start_in_any_form("serving")
    headers = {"Content-Type": content_type, "Cookie": f"mythoughts_csrf={CSRF_TOKEN}"}
    method = "POST" if body else "GET"
    answer = http.request(method, path, body=body, headers=headers)
    frontend.stop()

    assert answer.status == 400
    assert [line for line in frontend.log if line["level"] == "error" or "exception" in line] == []


def test_waiting_requests_are_not_logged_one_by_one(
    make_process: MakeProcess, thoughts: FakeThoughtsBackend
) -> None:
    """With more requests than threads, the log has one line per request."""
    frontend = make_process(THREADS="3", BACKEND_CONNECTIONS="1", BACKEND_ANSWER_SECONDS="2")
    http = frontend.start_in_any_form("serving")
    thoughts.stall()
    with ThreadPoolExecutor(16) as clients:
        answers = [clients.submit(http.get, "/search?search=a") for _ in range(16)]
    frontend.stop()

    assert len([answer.result() for answer in answers]) == 16
    assert [line for line in frontend.log if "queue" in line["event"]] == []
