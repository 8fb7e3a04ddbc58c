"""Errors as clients see them."""

import json
from http import HTTPStatus

import pytest

from mythoughts_chassis.problems import (
    BadInput,
    FieldError,
    NotFound,
    Problem,
    RequestTimeout,
    Unauthorized,
    Unavailable,
)

PROBLEMS = Problem.__subclasses__()


@pytest.mark.parametrize("kind", PROBLEMS)
def test_each_status_has_one_problem(kind: type[Problem]) -> None:
    """No two problems share a status, and each status is a standard HTTP status."""
    statuses = [other.status for other in PROBLEMS]

    assert statuses.count(kind.status) == 1
    assert HTTPStatus(kind.status) >= 400


@pytest.mark.parametrize("kind", PROBLEMS)
def test_problem_has_words_for_people(kind: type[Problem]) -> None:
    """A problem without its own detail has a default sentence, and the title of its status."""
    if kind is BadInput:
        problem: Problem = BadInput("It does not fit.")
    else:
        problem = kind()

    body = json.loads(problem.body("id-1"))

    assert body["detail"].endswith(".")
    assert (body["title"], body["status"]) == (kind.title, kind.status)
    assert (body["type"], body["request_id"]) == ("about:blank", "id-1")


def test_detail_can_be_given() -> None:
    """A detail replaces the default one."""
    assert json.loads(NotFound("No such thought.").body("-"))["detail"] == "No such thought."


def test_bad_input_lists_fields() -> None:
    """Bad input has one entry per field, and the same in words."""
    problem = BadInput(errors=[FieldError("a", "is required"), FieldError("b", "is bad")])

    body = json.loads(problem.body("-"))

    assert body["detail"] == "a: is required; b: is bad"
    assert body["errors"] == [
        {"field": "a", "detail": "is required"},
        {"field": "b", "detail": "is bad"},
    ]


def test_other_problems_have_no_errors() -> None:
    """Without invalid fields, `errors` is left out."""
    assert "errors" not in json.loads(NotFound().body("-"))


@pytest.mark.parametrize(
    ("problem", "headers"),
    [
        (Unauthorized(), {"WWW-Authenticate": "Bearer"}),
        (Unauthorized(has_token=True), {"WWW-Authenticate": 'Bearer error="invalid_token"'}),
        (Unavailable(), {"Retry-After": "1"}),
        (RequestTimeout(), {"Connection": "close"}),
        (NotFound(), {}),
    ],
)
def test_problem_brings_its_headers(problem: Problem, headers: dict[str, str]) -> None:
    """Problems carry the headers that their status requires."""
    assert problem.headers == headers
