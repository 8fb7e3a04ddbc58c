"""Finding Chromium."""

from pathlib import Path

import pytest

from tooling.chromium import chromium_path
from tooling.failures import Failure


def test_chosen_chromium_is_used(tmp_path: Path) -> None:
    """The variable CHROMIUM takes precedence."""
    program = tmp_path / "my chromium"
    program.touch(mode=0o755)

    assert chromium_path({"CHROMIUM": str(program)}) == str(program)


def test_wrong_choice_is_explained(tmp_path: Path) -> None:
    """A CHROMIUM that is not a program is rejected, with alternatives."""
    with pytest.raises(Failure, match="make test NO_BROWSER=1"):
        chromium_path({"CHROMIUM": str(tmp_path / "nothing")})
