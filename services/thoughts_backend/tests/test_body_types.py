"""Media types of bodies: JSON, forms and nothing else."""

import json

import pytest

from testkit.answers import is_bad_text
from testkit.http_client import HttpClient
from testkit.request_bodies import BOUNDARY, as_form, multipart
from testkit.thoughts_sql import Sql

PATH = "/api/me/thoughts/"


def test_form_is_accepted(http: HttpClient, bruce: str) -> None:
    """A thought can be shared with a form, in any script."""
    answer = http.post(PATH, token=bruce, form={"text": "héllo 你好 & = +"})

    assert (answer.status, answer.json()["text"]) == (201, "héllo 你好 & = +")


def test_form_data_in_raw_utf8_is_accepted(http: HttpClient, bruce: str) -> None:
    """Form data that is UTF-8 without percent escapes is read as UTF-8."""
    answer = http.post(PATH, token=bruce, **as_form("text=héllo 你好".encode()))

    assert answer.json()["text"] == "héllo 你好"


def test_multipart_is_accepted(http: HttpClient, bruce: str) -> None:
    """A thought can be shared as multipart form data."""
    answer = http.post(PATH, token=bruce, **multipart(("text", "héllo\r\n你好".encode())))

    assert (answer.status, answer.json()["text"]) == (201, "héllo\n你好")


def test_content_type_is_read_without_regard_to_case_and_parameters(
    http: HttpClient, bruce: str
) -> None:
    """`Application/JSON; charset=utf-8` is JSON."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    answer = http.post(PATH, token=bruce, body=b'{"text": "a"}', headers=headers)

    assert answer.status == 201


@pytest.mark.parametrize(
    "body",
    [b"", b"text", b"text=", b"text=%ff", b"text=\xff", b"text=%ED%A0%80", b"text=%00"],
)
def test_form_that_does_not_fit_is_refused(http: HttpClient, bruce: str, body: bytes) -> None:
    """Empty, malformed or wrongly encoded form data gets 400."""
    assert http.post(PATH, token=bruce, **as_form(body)).status == 400


def test_form_with_too_many_fields_is_refused(http: HttpClient, bruce: str) -> None:
    """A form with ten thousand fields gets 400."""
    assert http.post(PATH, token=bruce, **as_form(b"a=&" * 10_000)).status == 400


def test_field_given_twice_is_refused(http: HttpClient, bruce: str) -> None:
    """A form with two texts gets 400; the service does not choose one."""
    assert is_bad_text(http.post(PATH, token=bruce, **as_form(b"text=a&text=b")))


@pytest.mark.parametrize(
    "request_parts",
    [
        multipart(("text", b"\xff")),
        multipart(("text", b"a"), ("text", b"b")),
        multipart(("text", b"a"), headers='; filename="a.txt"'),
        multipart(("other", b"a")),
        multipart(*[(f"field{n}", b"") for n in range(500)]),
        {"body": b"", "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}},
        {"body": b"junk", "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}},
        {"body": b"--x--", "headers": {"Content-Type": "multipart/form-data"}},
        {"body": b"", "headers": {"Content-Type": "multipart/form-data; boundary="}},
        {
            "body": b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\na',
            "headers": {"Content-Type": "multipart/form-data; boundary=b"},
        },
        {
            "body": f"--{BOUNDARY}\r\n\r\na\r\n--{BOUNDARY}--\r\n".encode(),
            "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        },
    ],
    ids=[
        "not UTF-8",
        "twice",
        "a file",
        "no text",
        "too many",
        "empty",
        "junk",
        "no boundary",
        "empty boundary",
        "cut short",
        "no name",
    ],
)
def test_multipart_that_does_not_fit_is_refused(
    http: HttpClient, bruce: str, request_parts: dict[str, object]
) -> None:
    """Malformed multipart form data gets 400."""
    assert http.post(PATH, token=bruce, **request_parts).status == 400


def test_charset_of_a_part_is_not_obeyed(http: HttpClient, bruce: str) -> None:
    """Text is UTF-8, whatever encoding a part declares."""
    body = multipart(("text", "é".encode()), headers="\r\nContent-Type: text/plain; charset=x")

    answer = http.post(PATH, token=bruce, **body)

    assert answer.json()["text"] == "é"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/jsonx", "image/png", "nonsense", "application"],
)
def test_other_content_types_are_refused(http: HttpClient, bruce: str, content_type: str) -> None:
    """A body of another type gets 415."""
    headers = {"Content-Type": content_type}

    answer = http.post(PATH, token=bruce, body=b'{"text": "a"}', headers=headers)

    assert answer.status == 415


def test_body_without_a_type_is_refused(http: HttpClient, bruce: str) -> None:
    """A body without a declared type gets 415."""
    assert http.post(PATH, token=bruce, body=b'{"text": "a"}').status == 415


def test_no_body_at_all_lacks_the_text(http: HttpClient, bruce: str) -> None:
    """A POST without a body gets 400: the text is required."""
    assert is_bad_text(http.post(PATH, token=bruce))


def test_text_in_the_query_is_not_taken(http: HttpClient, bruce: str) -> None:
    """A text is never read from the address."""
    assert is_bad_text(http.post(PATH, token=bruce, query={"text": "a"}))


def test_refused_text_is_not_stored(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A rejected thought is not stored."""
    http.post(PATH, token=bruce, json={"text": "a" * 251})

    assert sql.value("SELECT count(*) FROM thoughts") == 0


def test_chunked_body_is_read_whole(http: HttpClient, bruce: str) -> None:
    """A body in chunks, without a length, is read like any other."""
    parts = json.dumps({"text": "in pieces"}).encode()
    headers = {"Content-Type": "application/json"}

    answer = http.post(PATH, token=bruce, body=(bytes([byte]) for byte in parts), headers=headers)

    assert (answer.status, answer.json()["text"]) == (201, "in pieces")
