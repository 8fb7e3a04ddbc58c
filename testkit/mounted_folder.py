"""A folder as Kubernetes mounts a Secret or a ConfigMap, with the same way of changing it.

public.json -> ..data/public.json, ..data -> ..1, ..1/public.json

A change creates a new folder and renames `..data` once; the old folder is then deleted.
"""

import itertools
import shutil
from pathlib import Path


class MountedFolder:
    """Files behind two links, all replaced in one step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions = itertools.count(1)
        folder.mkdir()

    def publish(self, *sources: Path) -> None:
        """Replace the folder's contents with copies of these files, under their own names."""
        version = self._folder / f"..{next(self._versions)}"
        version.mkdir()
        for source in sources:
            shutil.copyfile(source, version / source.name)
        data = self._folder / "..data"
        old = data.resolve()
        new_link = self._folder / "..data_tmp"
        new_link.symlink_to(version.name)
        new_link.replace(data)
        for source in sources:
            link = self._folder / source.name
            if not link.is_symlink():
                link.symlink_to(Path("..data", source.name))
        shutil.rmtree(old, ignore_errors=True)
