"""`python -m deploy VERB`, for the Makefile."""

import os
import sys

from deploy.commands import COMMANDS
from tooling.program import run_program

if __name__ == "__main__":
    run_program(lambda: COMMANDS[sys.argv[1]](os.environ))
