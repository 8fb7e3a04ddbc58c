"""`python -m local up|dev|down|logs|reset`, for the Makefile."""

import os
import sys

from local.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
