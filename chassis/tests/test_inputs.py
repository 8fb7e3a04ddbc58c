"""Strict reading of bodies, parameters and ids."""

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta

from chassis.tests.conftest import ServeEndpoints
from mythoughts_chassis.endpoints import get, post
from mythoughts_chassis.inputs import BODY_TYPES, MAX_ID, fit, parse_id
from mythoughts_chassis.problems import BadInput, NotFound
from testkit.http_client import Answer, HttpClient


def in_small_letters(text: str) -> str:
    """A rule that a schema cannot express."""
    if not text.isalpha():
        raise ValueError("must be of letters")
    return text.lower()


class Shape(msgspec.Struct, kw_only=True):
    """Fields of all kinds."""

    name: Annotated[str, Meta(min_length=2, max_length=5)]
    note: str = ""
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    cursor: Annotated[int, Meta(ge=0)] | None = None
    is_new: Annotated[bool | msgspec.UnsetType, Meta(description="Whether.")] = msgspec.UNSET
    word: Annotated[str, Meta(max_length=5), Meta(extra={"rule": in_small_letters})] = ""


def faults(values: dict[str, Any], *, from_text: bool = False) -> dict[str, str]:
    """What is wrong with each field."""
    with pytest.raises(BadInput) as raised:
        fit(values, Shape, from_text=from_text)
    return {fault.field: fault.detail for fault in raised.value.errors}


@pytest.mark.parametrize(
    ("word", "fault"),
    [("T1", "must be of letters"), ("Words1", "must have at most 5 characters")],
)
def test_rule_is_asked_after_the_schema(word: str, fault: str) -> None:
    """A value that fits the schema but not the rule is rejected with the rule's message."""
    assert faults({"name": "ab", "word": word}) == {"word": fault}


def test_rule_gives_the_value_its_form() -> None:
    """The value returned by a rule is used."""
    assert fit({"name": "ab", "word": "Title"}, Shape).word == "title"


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), (str(MAX_ID), MAX_ID)])
def test_id_is_a_positive_integer(text: str, number: int) -> None:
    """An id is a positive 64-bit integer in ASCII digits."""
    assert parse_id(text) == number


@pytest.mark.parametrize(
    "text", ["", "0", "00", "-1", "+1", " 1", "1 ", "1\n", "1.0", "1e1", "1_0", "٣", "²", "a"]
)
def test_anything_else_is_not_an_id(text: str) -> None:
    """Anything else is not found."""
    with pytest.raises(NotFound):
        parse_id(text)


@given(st.text())
@settings(derandomize=True, database=None, deadline=None)
def test_any_text_is_an_id_or_not_found(text: str) -> None:
    """Invalid texts raise only NotFound."""
    try:
        number = parse_id(text)
    except NotFound:
        return

    assert 0 < number <= MAX_ID


def test_fields_become_a_struct() -> None:
    """Valid values create the struct; omitted fields get their defaults."""
    assert fit({"name": "abc", "count": 3}, Shape) == Shape(name="abc", count=3)


def test_unknown_fields_are_ignored() -> None:
    """Unknown fields have no effect."""
    assert fit({"name": "abc", "other": object()}, Shape) == Shape(name="abc")


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("name", "a", "must have at least 2 characters"),
        ("name", "abcdef", "must have at most 5 characters"),
        ("name", "a\x00b", "must not contain the character NUL"),
        ("name", None, "must be text"),
        ("name", 7, "must be text"),
        ("name", ["a"], "must be text"),
        ("count", 0, "must be at least 1"),
        ("count", 10, "must be at most 9"),
        ("word", "A1", "must be of letters"),
    ],
)
def test_reason_is_in_plain_words(field: str, value: object, detail: str) -> None:
    """Each error says what would be valid."""
    assert faults({"name": "abc", field: value}) == {field: detail}


@pytest.mark.parametrize("value", ["3", 3.5, True, None, [], {}])
def test_number_in_json_is_a_number(value: object) -> None:
    """In JSON, a text, a boolean or null is not accepted as a number."""
    assert set(faults({"name": "abc", "count": value})) == {"count"}


@pytest.mark.parametrize("value", ["", "-1", "1.0", "1e1", "1_0", "٣", "9" * 20, " 1", "x"])
def test_number_in_text_is_digits(value: str) -> None:
    """In a query or form, a number consists only of ASCII digits."""
    assert faults({"name": "abc", "count": value, "cursor": value}, from_text=True) == {
        "count": "must be a whole number, written in the digits 0 to 9",
        "cursor": "must be a whole number, written in the digits 0 to 9",
    }


def test_number_in_text_is_read() -> None:
    """Digits are converted to a number."""
    assert fit({"name": "abc", "cursor": "12"}, Shape, from_text=True).cursor == 12


def test_every_fault_is_reported() -> None:
    """All invalid fields are named together, including missing ones."""
    assert faults({"count": 0, "word": "A1"}) == {
        "name": "is required",
        "count": "must be at least 1",
        "word": "must be of letters",
    }


def test_line_breaks_become_lf() -> None:
    """CR LF in a text becomes LF before its length is checked."""
    assert fit({"name": "a\r\nb\r\nc"}, Shape).name == "a\nb\nc"


@post("/")
async def echo_body(body: Shape) -> Shape:
    """Respond with the parsed body."""
    return body


@get("/")
async def echo_query(query: Shape) -> Shape:
    """Respond with the parsed query."""
    return query


@pytest.fixture
def http(serve_endpoints: ServeEndpoints) -> HttpClient:
    """A client of endpoints that return what they read."""
    return serve_endpoints(echo_body, echo_query)


def send(http: HttpClient, content_type: str, body: bytes) -> Answer:
    """Send a body of a type."""
    return http.post("/", body=body, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"name": "abc", "count": 3}'),
        ("application/x-www-form-urlencoded", b"name=abc&count=3"),
        (
            "multipart/form-data; boundary=b",
            (
                b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nabc\r\n'
                b'--b\r\nContent-Disposition: form-data; name="count"\r\n\r\n3\r\n--b--\r\n'
            ),
        ),
    ],
)
def test_body_is_the_same_in_each_type(http: HttpClient, content_type: str, body: bytes) -> None:
    """JSON and both kinds of forms have the same fields."""
    answer = send(http, content_type, body)

    assert (answer.json()["name"], answer.json()["count"]) == ("abc", 3)


def test_number_in_json_text_is_refused(http: HttpClient) -> None:
    """JSON is read strictly where a form is lenient."""
    answer = send(http, "application/json", b'{"name": "abc", "count": "3"}')

    assert (answer.status, answer.faulty_fields) == (400, ["count"])


def test_query_is_read(http: HttpClient) -> None:
    """Query parameters are converted to a struct as in a form."""
    assert http.get("/?name=abc&count=3").json()["count"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"name": "abc", "name": "def"}', "name"),
        (b'{"name": "abc", "name": "abc"}', "name"),
        (b'{"name": "abc", "n\\u0061me": "def"}', "name"),
        (b'{"name": "abc", "count": 1, "note": "", "count": 1}', "count"),
        (b'{"name": "abc", "other": 1, "other": 2}', "other"),
        (b'{"name": "abc", "": 1, "": 2}', ""),
        (b'{"name": "abc", "other": {"inner": 1, "inner": 2}}', "inner"),
        (b'{"name": "abc", "other": [{"inner": 1}, {"inner": 1, "inner": 2}]}', "inner"),
        ('{"水": 1, "\\u6c34": 2}'.encode(), "水"),
    ],
)
def test_repeated_json_field_is_rejected(http: HttpClient, body: bytes, field: str) -> None:
    """As in a form, a field has only one value, however its name is written and wherever it is."""
    answer = send(http, "application/json", body)

    assert answer.status == 400
    assert answer.json()["errors"] == [{"field": field, "detail": "is given more than once"}]


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "abc", "Name": "def"}',
        b'{"name": "abc", "other": {"name": 1}}',
        b'{"name": "abc", "other": [{"a": 1}, {"a": 1}]}',
        b'{"name": "a:b", "note": "name: \\"name\\": 1"}',
    ],
)
def test_names_that_differ_in_kind_or_place_are_accepted(http: HttpClient, body: bytes) -> None:
    """Names are the same only within one object, and letter by letter."""
    assert send(http, "application/json", body).status == 201


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "abc", "other": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"name": "abc", "other": ' + b'{"a":' * 9_000 + b"1" + b"}" * 9_001,
        b'{"name": NaN}',
        b'{"name": "abc", "count": Infinity}',
        b'{"name": "abc", "count": 1e999}',
        b'{"name": "abc", "count": ' + b"9" * 5_000 + b"}",
        b'{"name": "abc", "other": -1e999}',
        b'{"name": "abc\\ud800"}',
        b'{"name": "abc", "\\ud800": 1}',
        b'{"name": "abc\xff"}',
        b'{"name": "abc\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"name": "abc"}',
        '{"name": "abc"}'.encode("utf-16"),
        b'{"name": "abc"} {}',
        b'{"name": "abc",}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_invalid_json_is_rejected(http: HttpClient, body: bytes) -> None:
    """Deep nesting, numbers out of range, broken Unicode and the like are client errors."""
    assert send(http, "application/json", body).status == 400


CONTENT_TYPES = st.sampled_from([*BODY_TYPES, "multipart/form-data; boundary=b", "", "a/b"])
PIECES = st.sampled_from(
    [
        b"--b\r\n",
        b"--b--",
        b"\r\n",
        b'Content-Disposition: form-data; name="name"',
        b"Content-Disposition: form-data; filename*=UTF-8''%ff; name=x",
        b"Content-Type: text/plain; charset=x",
        b'{"name":',
        b'"abc"}',
        b"\\ud800",
        b"name=abc",
        b"&",
        b"%00",
    ]
)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    content_type=CONTENT_TYPES,
    body=st.binary(max_size=80) | st.lists(PIECES, max_size=8).map(b"".join),
)
def test_no_body_is_a_server_error(http: HttpClient, content_type: str, body: bytes) -> None:
    """Whatever the bytes and their type, the body is read or rejected with a problem."""
    assert send(http, content_type, body).status in {201, 400, 415}
