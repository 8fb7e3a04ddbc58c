"""Sharing, getting and deleting thoughts."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.tests.http_client import HttpClient
from services.thoughts_backend.tests.sql import Sql


def test_shared_thought_is_answered_whole(http: HttpClient, bruce: str) -> None:
    """Sharing answers 201 with id, author, text and time of the thought."""
    answer = http.post("/api/me/thoughts/", token=bruce, json={"text": "Be water."})

    assert answer.status == 201
    assert set(answer.json()) == {"id", "username", "text", "timestamp"}
    assert answer.json()["username"] == "bruce"
    assert answer.json()["text"] == "Be water."
