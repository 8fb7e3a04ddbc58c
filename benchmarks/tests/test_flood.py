"""The measurement of logins during a flood, with few logins."""

from benchmarks.flood_run import CONNECTIONS, measure_flood


def test_each_way_to_log_in_is_measured_during_a_flood() -> None:
    """Guesses and logins are counted for the API and for the login page."""
    result = measure_flood(logins=2)

    assert [figure.name for figure in result.figures] == ["the API", "the login page"]
    for figure in result.figures:
        assert figure.guesses >= CONNECTIONS
        assert figure.logins.requests == 2
        assert figure.name in str(result)
