"""What every program of this repository builds on, whichever verb of the Makefile starts it.

    environment  creates .venv and installs the locked packages (runs before anything is installed)
    chromium     finds or installs the browser of the tests
    console      output to the terminal: messages, steps with their durations, questions
    stopping     ending a program: Ctrl-C, SIGTERM, the end of its terminal
    readiness    waiting until a server is ready
    project      the root folder and the three services

It imports nothing from the other folders, and only `chromium` needs an installed package.
"""
