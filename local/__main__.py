"""`python -m local up|dev|down|logs|reset|backup|restore`, for the Makefile."""

import os
import sys

from local.commands import main
from tooling.program import run_program

if __name__ == "__main__":
    run_program(lambda: main(sys.argv[1], os.environ))
