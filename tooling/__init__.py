"""What all programs of this repository build on, whichever verb of the Makefile starts them.

    program      the frame of a program: signals and failures; failures: errors for the user
    console      output to the terminal: messages, steps with their durations, questions; lines:
                 the output of processes
    settings     reading the variables that a verb is given
    commands     running other programs
    project      the root folder and the three services; messages: texts about them
    environment  creates .venv and installs the locked packages (runs before anything is installed)
    chromium     finds or installs the browser of the tests
    readiness    waiting until a server is ready
    working_tree the code and its changes; supervision: runs what changes, by the supervisor in
                 deploy/kubernetes/components/dev/supervisor.py

`private_files` writes passwords. Nothing here imports from the other folders, and only `chromium`,
`working_tree` and `supervision` need an installed package.
"""
