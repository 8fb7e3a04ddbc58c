"""ETag and If-None-Match on one thought."""

import pytest

from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql


@pytest.fixture
def path(sql: Sql) -> str:
    """The path of a thought."""
    return f"/api/thoughts/{sql.add_thoughts('Be water.')[0]}/"


@pytest.fixture
def etag(http: HttpClient, path: str) -> str:
    """The thought's ETag."""
    return str(http.get(path).headers["ETag"])


def test_etag_is_strong_and_stays(http: HttpClient, path: str, etag: str) -> None:
    """A thought has one quoted ETag, the same each time."""
    assert etag.startswith('"')
    assert etag.endswith('"')
    assert http.get(path).headers["ETag"] == etag


def test_thoughts_have_different_etags(http: HttpClient, sql: Sql, etag: str) -> None:
    """Another thought, even with the same text, has another ETag."""
    (other,) = sql.add_thoughts("Be water.")

    assert http.get(f"/api/thoughts/{other}/").headers["ETag"] != etag


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', 'W/"x",W/{} , "y"', "*"])
def test_known_answer_is_not_sent_again(http: HttpClient, path: str, etag: str, form: str) -> None:
    """If-None-Match gets 304 without a body: alone, weak, in a list, or as a star."""
    answer = http.get(path, headers={"If-None-Match": form.format(etag)})

    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", etag)
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("value", ['"other"', "", 'W/"other", "another"', "nonsense", '"'])
def test_unknown_answer_is_sent(http: HttpClient, path: str, value: str) -> None:
    """If-None-Match with another ETag, or with nonsense, gets 200."""
    assert http.get(path, headers={"If-None-Match": value}).status == 200


def test_head_is_not_sent_again_either(http: HttpClient, path: str, etag: str) -> None:
    """HEAD gets 304 as GET does."""
    assert http.request("HEAD", path, headers={"If-None-Match": etag}).status == 304


def test_missing_thought_matches_nothing(http: HttpClient) -> None:
    """If-None-Match: * on a missing thought gets 404."""
    assert http.get("/api/thoughts/4711/", headers={"If-None-Match": "*"}).status == 404


def test_second_line_of_if_none_match_counts(http: HttpClient, path: str, etag: str) -> None:
    """ETags may be spread over several header lines (RFC 9110, section 5.3)."""
    request = (
        f'GET {path} HTTP/1.1\r\nHost: x\r\nIf-None-Match: "x"\r\nIf-None-Match: {etag}\r\n\r\n'
    )

    with http.connection() as connection:
        connection.sendall(request.encode())
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 304 ")
