"""Migrations in a cluster: pods that start at the same time, and revisions that fail."""

from collections.abc import Iterator

import pytest

from testkit.kubernetes import Cluster

COUNT_THOUGHTS = "SELECT count(*) = count(DISTINCT text) AND count(*) > 0 FROM thoughts"


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster without a pod of the Thoughts Backend, and with its database empty.

    The database's contents are set aside, and restored at the end.
    """
    cluster.stop("thoughts")
    cluster.psql("thoughts", "postgres", "ALTER DATABASE thoughts RENAME TO kept")
    cluster.psql(
        "thoughts",
        "postgres",
        "CREATE DATABASE thoughts OWNER thoughts TEMPLATE template0"
        " LOCALE_PROVIDER builtin LOCALE 'C.UTF-8' ENCODING 'UTF8'",
    )
    yield cluster
    cluster.stop("thoughts")
    cluster.psql("thoughts", "postgres", "DROP DATABASE thoughts")
    cluster.psql("thoughts", "postgres", "ALTER DATABASE kept RENAME TO thoughts")


def test_three_replicas_migrate_an_empty_database_at_once(empty_database: Cluster) -> None:
    """Three pods starting on an empty database create the schema and load the data only once."""
    empty_database.scale("thoughts", 3)

    restarts = [
        status["restartCount"]
        for pod in empty_database.pods("thoughts")
        for status in pod["status"]["initContainerStatuses"]
    ]
    assert set(restarts) == {0}
    assert empty_database.psql("thoughts", "thoughts", COUNT_THOUGHTS) == "t"
