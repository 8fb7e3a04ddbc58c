"""Runs the system on one machine without containers: PostgreSQL, three services, one command.

    environment  creates .venv and installs the locked packages (runs before anything is installed)
    commands     the Makefile's verbs down, logs and reset, which need no packages
    running      up, dev
    stopping     ending a program: Ctrl-C, SIGTERM, the end of its terminal
    stack        the whole system, started in order and stopped in reverse order
    services     the names and settings of the services
    postgres     the PostgreSQL server; postgres_binaries: where its programs come from
    process      one child process and its log
    folder       the folder `.local`, kept between runs:

        secrets.json        passwords of the database roles (mode 600)
        admin-password      password of the user `admin` (mode 600)
        keys/               private.json and public.json, the JWK sets for tokens
        postgres/           PostgreSQL's data; a link to a folder under /var/lib if root runs this
                            in a folder that PostgreSQL's own account cannot enter
        logs/               one file per process, limited in size
        done/               an empty file for each step of the first run that need not be repeated
        lock                held while the system runs, and contains the process id
        processes.json      the processes of the run; the next run ends those left by a killed run

`make reset` deletes everything; the next `make up` creates it again.
"""
