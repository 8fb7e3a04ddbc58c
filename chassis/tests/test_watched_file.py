"""Detecting that a file has changed."""

import os
from pathlib import Path

from mythoughts_chassis.keys import WatchedFile
from testkit.mounted_folder import MountedFolder


def test_watched_file_tells_of_changes(tmp_path: Path) -> None:
    """A file counts as changed on the first check and after each change, but not in between."""
    path = tmp_path / "watched"
    path.write_text("one")
    watched = WatchedFile(path)
    first = [watched.changed(), watched.changed()]
    path.write_text("three")

    assert first == [True, False]
    assert [watched.changed(), watched.changed()] == [True, False]


def test_watched_file_is_followed_through_a_link(tmp_path: Path) -> None:
    """A link redirected to another file is a change, as with mounted secrets."""
    for name in ("one", "two"):
        (tmp_path / name).write_text("same")
        os.utime(tmp_path / name, (1, 1))
    link = tmp_path / "link"
    link.symlink_to("one")
    watched = WatchedFile(link)
    watched.changed()
    link.unlink()
    link.symlink_to("two")

    assert watched.changed()


def test_watched_file_is_followed_through_a_mount(tmp_path: Path) -> None:
    """Each change of a folder mounted by Kubernetes is seen once, also with equal file sizes."""
    source = tmp_path / "keys.json"
    source.write_text("one")
    mount = MountedFolder(tmp_path / "mount")
    mount.publish(source)
    watched = WatchedFile(tmp_path / "mount" / "keys.json")
    watched.changed()
    seen = []

    for text in ("two", "six", "ten"):
        source.write_text(text)
        mount.publish(source)
        seen.append((watched.changed(), watched.changed()))

    assert seen == [(True, False)] * 3


def test_missing_file_has_not_changed(tmp_path: Path) -> None:
    """A missing file is not a change."""
    assert not WatchedFile(tmp_path / "nowhere").changed()
