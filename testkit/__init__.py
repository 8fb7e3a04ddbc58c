"""What the tests of several folders share: clients, waiting, tokens, processes, databases."""

from pathlib import Path

# The root folder of the repository.
ROOT = Path(__file__).resolve().parent.parent
