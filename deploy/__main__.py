"""`python -m deploy VERB`, for the Makefile."""

import os
import sys

from deploy.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
