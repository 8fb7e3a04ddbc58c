"""Which texts are thoughts, and in which bodies they may come."""

import json

import pytest

from chassis.tests.http_client import Answer, HttpClient
from services.thoughts_backend.tests.sql import Sql

PATH = "/api/me/thoughts/"
BOUNDARY = "limit-7"


def multipart(*parts: tuple[str, bytes], headers: str = "") -> dict[str, object]:
    """The body and content type of form data with these fields."""
    lines = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{headers}\r\n\r\n'.encode()
        + value
        + b"\r\n"
        for name, value in parts
    )
    return {
        "body": lines + f"--{BOUNDARY}--\r\n".encode(),
        "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    }


def as_json(body: bytes) -> dict[str, object]:
    """A body of raw bytes that says to be JSON."""
    return {"body": body, "headers": {"Content-Type": "application/json"}}


def as_form(body: bytes) -> dict[str, object]:
    """A body of raw bytes that says to be a form's."""
    return {"body": body, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}


def is_bad_text(answer: Answer) -> bool:
    """Whether an answer refuses the field `text`."""
    return answer.status == 400 and answer.faulty_fields == ["text"]


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a" * 250,
        "字" * 250,
        "🦊" * 250,
        "  spaces around  ",
        "two\nlines",
        "tab\there",
        "‮right to left",
        "\u200bzero width",
        "e\u0301",
        "\x01\x1f\x7f",
        "'; DROP TABLE thoughts; --",
        "<script>alert(1)</script>",
        "\ufeffmark",
        "\uffff\U0010ffff",
        "null",
    ],
)
def test_text_is_stored_as_it_was_written(http: HttpClient, bruce: str, text: str) -> None:
    """Up to 250 characters of any script come back as they were sent."""
    shared = http.post(PATH, token=bruce, json={"text": text})

    answer = http.get(f"/api/thoughts/{shared.json()['id']}/")

    assert answer.json()["text"] == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n", " \t\r\n ", "\u00a0", "\u2003\u3000", "\u0085", "\u2028", "\x1c\x1f", "\u1680"],
)
def test_empty_or_blank_text_is_refused(http: HttpClient, bruce: str, text: str) -> None:
    """A text without any visible character answers 400 and names the field."""
    assert is_bad_text(http.post(PATH, token=bruce, json={"text": text}))


@pytest.mark.parametrize("text", ["a" * 251, "🦊" * 251, "a" * 10_000])
def test_too_long_text_is_refused(http: HttpClient, bruce: str, text: str) -> None:
    """More than 250 characters answer 400, and the reason says how many there may be."""
    answer = http.post(PATH, token=bruce, json={"text": text})

    assert answer.json()["errors"] == [
        {"field": "text", "detail": "must have at most 250 characters"}
    ]


def test_line_breaks_count_as_one_character(http: HttpClient, bruce: str) -> None:
    """250 characters whose line breaks arrive as CR LF fit, and come back with LF."""
    typed = "\n".join(["line"] * 50)[:249] + "!"

    answer = http.post(PATH, token=bruce, form={"text": typed.replace("\n", "\r\n")})

    assert (answer.status, answer.json()["text"]) == (201, typed)


def test_line_breaks_alone_are_blank(http: HttpClient, bruce: str) -> None:
    """A text of CR LF only is refused."""
    assert is_bad_text(http.post(PATH, token=bruce, form={"text": "\r\n\r\n"}))


@pytest.mark.parametrize("text", ["\x00", "a\x00b"])
def test_nul_is_refused_in_json(http: HttpClient, bruce: str, text: str) -> None:
    """A NUL, which PostgreSQL cannot store, answers 400."""
    assert is_bad_text(http.post(PATH, token=bruce, json={"text": text}))


def test_nul_is_refused_in_a_form(http: HttpClient, bruce: str) -> None:
    """A NUL in form data answers 400."""
    assert is_bad_text(http.post(PATH, token=bruce, form={"text": "a\x00b"}))


@pytest.mark.parametrize("value", [None, 7, 1.5, True, ["a"], {"a": "b"}, [], {}])
def test_text_of_another_type_is_refused(http: HttpClient, bruce: str, value: object) -> None:
    """A text that is no string answers 400 and names the field."""
    assert is_bad_text(http.post(PATH, token=bruce, json={"text": value}))


@pytest.mark.parametrize("body", [b"{}", b'{"txt": "a"}', b'{"Text": "a"}'])
def test_missing_text_is_refused(http: HttpClient, bruce: str, body: bytes) -> None:
    """A body without the field answers 400 and says that it is required."""
    answer = http.post(PATH, token=bruce, **as_json(body))

    assert answer.json()["errors"] == [{"field": "text", "detail": "is required"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'["text"]',
        b'"text"',
        b"7",
        b"{",
        b'{"text": "a"',
        b'{"text": "a"} x',
        b"{'text': 'a'}",
        b'{"text": "\xff"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\\udc00\\ud800"}',
        b'{"text": "a\nb"}',
        b'{"text": NaN}',
        b"\xef\xbb\xbf{}\xff",
        b"[" * 30_000 + b"]" * 30_000,
        b'{"text": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_json_that_does_not_fit_is_refused(http: HttpClient, bruce: str, body: bytes) -> None:
    """Malformed JSON, lone surrogates, deep nesting and what is no object answer 400."""
    assert http.post(PATH, token=bruce, **as_json(body)).status == 400


def test_form_is_accepted(http: HttpClient, bruce: str) -> None:
    """A thought can be shared by a form, in any script."""
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
    """Empty, malformed or wrongly encoded form data answers 400."""
    assert http.post(PATH, token=bruce, **as_form(body)).status == 400


def test_form_with_too_many_fields_is_refused(http: HttpClient, bruce: str) -> None:
    """A form of ten thousand fields answers 400."""
    assert http.post(PATH, token=bruce, **as_form(b"a=&" * 10_000)).status == 400


def test_field_given_twice_is_refused(http: HttpClient, bruce: str) -> None:
    """A form with two texts answers 400 instead of choosing one."""
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
            "body": f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="text"\r\n\r\na'.encode(),
            "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        },
        {
            "body": f"--{BOUNDARY}\r\n\r\na\r\n--{BOUNDARY}--\r\n".encode(),
            "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        },
        multipart(("text", b"a"), headers="\r\nContent-Type: text/plain; charset=nonsense\r\nX: y"),
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
        "strange charset",
    ],
)
def test_multipart_that_does_not_fit_is_no_server_error(
    http: HttpClient, bruce: str, request_parts: dict[str, object]
) -> None:
    """Malformed multipart form data answers 400; a part's charset is not obeyed."""
    charset_is_ignored = b"charset=nonsense" in bytes(request_parts["body"])  # type: ignore[arg-type]

    answer = http.post(PATH, token=bruce, **request_parts)

    assert answer.status == (201 if charset_is_ignored else 400)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/jsonx", "image/png", "nonsense", "application"],
)
def test_other_content_types_are_refused(
    http: HttpClient, bruce: str, content_type: str
) -> None:
    """A body of another type answers 415."""
    headers = {"Content-Type": content_type}

    answer = http.post(PATH, token=bruce, body=b'{"text": "a"}', headers=headers)

    assert answer.status == 415


def test_body_without_a_type_is_refused(http: HttpClient, bruce: str) -> None:
    """A body that does not say what it is answers 415."""
    assert http.post(PATH, token=bruce, body=b'{"text": "a"}').status == 415


def test_no_body_at_all_lacks_the_text(http: HttpClient, bruce: str) -> None:
    """A POST without a body answers 400: the text is required."""
    assert is_bad_text(http.post(PATH, token=bruce))


def test_text_in_the_query_is_not_taken(http: HttpClient, bruce: str) -> None:
    """A text is never taken from the address."""
    assert is_bad_text(http.post(PATH, token=bruce, query={"text": "a"}))


def test_refused_text_is_not_stored(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A thought that was refused is nowhere."""
    http.post(PATH, token=bruce, json={"text": "a" * 251})

    assert sql.value("SELECT count(*) FROM thoughts") == 0


def test_chunked_body_is_read_whole(http: HttpClient, bruce: str) -> None:
    """A body in chunks, without a length, is read like any other."""
    parts = json.dumps({"text": "in pieces"}).encode()
    headers = {"Content-Type": "application/json"}

    answer = http.post(
        PATH, token=bruce, body=(bytes([byte]) for byte in parts), headers=headers
    )

    assert (answer.status, answer.json()["text"]) == (201, "in pieces")
