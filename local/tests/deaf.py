"""`python deaf.py COMMAND...`: runs a command that inherits the wish to ignore each signal.

Background jobs of scripts, `nohup` and some CI runners do so, and any parent may block signals.
"""

import os
import signal
import sys

STOPPING = (signal.SIGINT, signal.SIGTERM)
# What stands before a command that is started so.
DEAF = (sys.executable, __file__)

if __name__ == "__main__":
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 (what it starts is the test's)
