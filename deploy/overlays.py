"""The two ways to deploy: `local`, to a cluster for development, and `production`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy import secret_files
from tooling.project import ROOT
from tooling.settings import choice


@dataclass(frozen=True, slots=True)
class Overlay:
    """A kustomization in `deploy/kubernetes/overlays`; a local one includes its databases."""

    name: str
    is_local: bool

    @property
    def folder(self) -> Path:
        """Where its kustomization is."""
        return ROOT / "deploy" / "kubernetes" / "overlays" / self.name

    @property
    def secrets(self) -> Path:
        """Where its secret files are."""
        return self.folder / "secrets"

    def make_secrets(self) -> list[str]:
        """Create the missing secret files that can be generated; returns their names."""
        return secret_files.make_secret_files(self.secrets, with_databases=self.is_local)

    def missing_files(self) -> list[Path]:
        """The missing files about databases that only the operator can write."""
        if self.is_local:
            return []
        roles = [
            f"{name}-database{role}" for name in secret_files.DATABASES for role in ("", "-owner")
        ]
        names = [*(f"{role}-url" for role in roles), secret_files.DATABASE_AUTHORITY]
        return [self.secrets / name for name in names if not (self.secrets / name).exists()]


LOCAL = Overlay("local", is_local=True)
PRODUCTION = Overlay("production", is_local=False)


def chosen_overlay(environment: Mapping[str, str]) -> Overlay:
    """The overlay that OVERLAY names, `local` if it is not set."""
    overlays = {overlay.name: overlay for overlay in (LOCAL, PRODUCTION)}
    return overlays[choice(environment, "OVERLAY", overlays, LOCAL.name)]
