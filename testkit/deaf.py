"""`python deaf.py COMMAND...`: runs a command that inherits all signals as ignored or blocked.

Background jobs of scripts, `nohup` and some CI runners do this, and any parent may block signals.
"""

import os
import signal
import sys

STOPPING = (signal.SIGINT, signal.SIGTERM)
# The prefix of a command that is started this way.
DEAF = (sys.executable, __file__)

if __name__ == "__main__":
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 (what it starts is the test's)
