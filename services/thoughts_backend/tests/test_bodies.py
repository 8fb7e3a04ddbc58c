"""Bodies that are too large, truncated or stalled."""

import json
import socket

import pytest

from testkit.http_client import HttpClient, read_answer
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql

PATH = "/api/me/thoughts/"


def head(
    token: str, *headers: str, path: str = PATH, content_type: str = "application/json"
) -> bytes:
    """The head of a POST that closes its connection."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"Authorization: Bearer {token}",
        f"Content-Type: {content_type}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_refused(http: HttpClient, bruce: str, chunked: bool) -> None:
    """A body of 10 MB gets 413, whether it declares its length or not."""
    body = b'{"text": "' + b"a" * 10_000_000 + b'"}'
    headers = {"Content-Type": "application/json"}

    answer = http.post(PATH, token=bruce, body=iter([body]) if chunked else body, headers=headers)

    assert answer.status == 413


def test_large_body_without_a_token_answers_401(http: HttpClient) -> None:
    """Order of checks: without a token the size does not matter."""
    headers = {"Content-Type": "application/json"}

    assert http.post(PATH, body=b"a" * 10_000_000, headers=headers).status == 401


def test_others_are_served_after_a_large_body(http: HttpClient, bruce: str) -> None:
    """A rejected body does not affect the service."""
    http.post(
        PATH, token=bruce, body=b"a" * 1_000_000, headers={"Content-Type": "application/json"}
    )

    assert http.post(PATH, token=bruce, json={"text": "small"}).status == 201


def test_body_cut_off_stores_nothing(
    backend: ServiceProcess, http: HttpClient, bruce: str, sql: Sql
) -> None:
    """A connection that ends in the middle of a body is logged as 499 and has no effect."""
    body = json.dumps({"text": "cut off"}).encode()
    request = head(bruce, f"Content-Length: {len(body) + 10}", "X-Request-ID: cut-off")

    with http.connection() as connection:
        connection.sendall(request + body)

    assert backend.wait_for_line("request", request_id="cut-off")["status"] == 499
    assert sql.value("SELECT count(*) FROM thoughts") == 0


def test_body_cut_off_is_no_fault_of_the_service(
    backend: ServiceProcess, http: HttpClient, bruce: str
) -> None:
    """A client that disconnects is not logged as an error."""
    lines_before = len(backend.log)
    with http.connection() as connection:
        connection.sendall(head(bruce, "Content-Length: 10", "X-Request-ID: gone") + b"{")

    backend.wait_for_line("request", request_id="gone")

    assert [line for line in backend.log[lines_before:] if line["level"] == "error"] == []


def test_stalled_clients_do_not_keep_others_waiting(http: HttpClient, bruce: str) -> None:
    """Fifty clients that stop in the middle of their bodies do not delay the next one."""
    stalled = [socket.create_connection(("127.0.0.1", http.port), timeout=10) for _ in range(50)]
    for connection in stalled:
        connection.sendall(head(bruce, "Content-Length: 100") + b'{"text"')

    answer = http.post(PATH, token=bruce, json={"text": "me first"})

    assert answer.status == 201
    for connection in stalled:
        connection.close()


def test_body_of_two_lengths_is_refused(http: HttpClient, bruce: str) -> None:
    """Content-Length with Transfer-Encoding, which allows request smuggling, gets 400."""
    with http.connection() as connection:
        connection.sendall(
            head(bruce, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n"
        )
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_malformed_chunk_is_refused(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A chunk with an invalid size gets 400 and stores nothing."""
    with http.connection() as connection:
        connection.sendall(head(bruce, "Transfer-Encoding: chunked") + b"nonsense\r\n")
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert sql.value("SELECT count(*) FROM thoughts") == 0


def test_body_in_a_get_is_ignored(http: HttpClient) -> None:
    """A GET with a body gets the same response as without."""
    answer = http.get("/api/thoughts/", body=b"{", headers={"Content-Type": "application/json"})

    assert (answer.status, answer.json()) == (200, [])


def test_eight_kilobytes_of_headers_are_taken(http: HttpClient) -> None:
    """A header of 8 KB is accepted."""
    assert http.get("/api/thoughts/", headers={"X-Long": "a" * 8192}).status == 200


def test_connection_serves_on_after_an_error(http: HttpClient, bruce: str) -> None:
    """After a rejected body the same connection accepts the next request."""
    refused = head(bruce, "Content-Length: 2").replace(b"Connection: close\r\n", b"") + b"[]"
    good = b'{"text": "a"}'

    with http.connection() as connection:
        connection.sendall(refused + head(bruce, f"Content-Length: {len(good)}") + good)
        answers = read_answer(connection)

    assert answers.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 201 " in answers


def test_expectation_is_met_for_the_body(http: HttpClient, bruce: str) -> None:
    """A client that waits for `100 Continue` before sending its body gets it."""
    body = b'{"text": "a"}'

    with http.connection() as connection:
        connection.sendall(head(bruce, f"Content-Length: {len(body)}", "Expect: 100-continue"))
        first = connection.recv(1024)
        connection.sendall(body)
        answer = read_answer(connection)

    assert first.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 201 " in answer
