"""Which texts are valid thoughts."""

import pytest

from testkit.answers import is_bad_text
from testkit.http_client import HttpClient
from testkit.request_bodies import as_json

PATH = "/api/me/thoughts/"


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
        "\u202eright to left",
        "\u200bzero width",
        "e\u0301",
        "\u0301",
        "क\u094d\u200dष",
        "☕\ufe0f",
        "\U000e0067!",
        "a\x01\x1f\x7f",
        "'; DROP TABLE thoughts; --",
        "<script>alert(1)</script>",
        "\ufeffmark",
        "\uffff\U0010ffff",
        "null",
    ],
)
def test_text_is_stored_as_it_was_written(http: HttpClient, bruce: str, text: str) -> None:
    """Up to 250 characters of any script are returned as they were sent."""
    shared = http.post(PATH, token=bruce, json={"text": text})

    answer = http.get(f"/api/thoughts/{shared.json()['id']}/")

    assert answer.json()["text"] == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "\n",
            " \t\r\n ",
            "\u00a0",
            "\u2003\u3000",
            "\u0085",
            "\u2028",
            "\x1c\x1f",
            "\u1680",
        ),
        *("\u200b", "\u2800", "\u3164", "\ufeff", "\ufe0f", "\u115f", "\u1160", "\uffa0", "\u00ad"),
        *("\u2060", "\u034f", "\u061c", "\u180e", "\u180b", "\u17b4", "\u202e", "\u2064", "\u206a"),
        *(
            "\ufff9\ufffb",
            "\x01\x1f\x7f",
            "\x80\x9f",
            "\U000e0020\U000e007f",
            "\U000e0100",
            "\U0001d173",
        ),
        *(
            "\U0001d159",
            "\U00016fe4",
            "\U00013430",
            "\U0001bca0",
            "\u200d\ufe0f\u200d",
            " \u2800\n\U000e0041 ",
        ),
    ],
)
def test_empty_or_blank_text_is_refused(http: HttpClient, bruce: str, text: str) -> None:
    """A text without any visible character gets 400 with the field's name."""
    assert is_bad_text(http.post(PATH, token=bruce, json={"text": text}))


@pytest.mark.parametrize("text", ["a" * 251, "🦊" * 251, "a" * 10_000])
def test_too_long_text_is_refused(http: HttpClient, bruce: str, text: str) -> None:
    """More than 250 characters get 400, with the limit in the reason."""
    answer = http.post(PATH, token=bruce, json={"text": text})

    assert answer.json()["errors"] == [
        {"field": "text", "detail": "must have at most 250 characters"}
    ]


def test_line_breaks_count_as_one_character(http: HttpClient, bruce: str) -> None:
    """250 characters with CR LF line breaks are valid, and are returned with LF."""
    typed = "\n".join(["line"] * 50)[:249] + "!"

    answer = http.post(PATH, token=bruce, form={"text": typed.replace("\n", "\r\n")})

    assert (answer.status, answer.json()["text"]) == (201, typed)


def test_line_breaks_alone_are_blank(http: HttpClient, bruce: str) -> None:
    """A text of only CR LF is rejected."""
    assert is_bad_text(http.post(PATH, token=bruce, form={"text": "\r\n\r\n"}))


@pytest.mark.parametrize("text", ["\x00", "a\x00b"])
def test_nul_is_refused_in_json(http: HttpClient, bruce: str, text: str) -> None:
    """A NUL, which PostgreSQL cannot store, gets 400."""
    assert is_bad_text(http.post(PATH, token=bruce, json={"text": text}))


def test_nul_is_refused_in_a_form(http: HttpClient, bruce: str) -> None:
    """A NUL in form data gets 400."""
    assert is_bad_text(http.post(PATH, token=bruce, form={"text": "a\x00b"}))


@pytest.mark.parametrize("value", [None, 7, 1.5, True, ["a"], {"a": "b"}, [], {}])
def test_text_of_another_type_is_refused(http: HttpClient, bruce: str, value: object) -> None:
    """A text that is not a string gets 400 with the field's name."""
    assert is_bad_text(http.post(PATH, token=bruce, json={"text": value}))


@pytest.mark.parametrize("body", [b"{}", b'{"txt": "a"}', b'{"Text": "a"}'])
def test_missing_text_is_refused(http: HttpClient, bruce: str, body: bytes) -> None:
    """A body without the field gets 400, which says that it is required."""
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
    """Malformed JSON, lone surrogates, deep nesting and anything but an object get 400."""
    assert http.post(PATH, token=bruce, **as_json(body)).status == 400
