"""The run on one machine without containers: PostgreSQL, three services, one command.

    environment  makes .venv and installs the locked packages (runs before anything is installed)
    commands     down, logs, reset: what the Makefile's verbs do, without any package
    running      up, dev
    stopping     what ends a program: Ctrl-C, SIGTERM, the end of its terminal
    stack        the whole system, started in order and stopped in the opposite order
    services     what each service is called and which settings it gets
    postgres     the PostgreSQL server; postgres_binaries: where its programs come from
    process      one child process and its log
    folder       what is kept between runs, in the folder `.local`:

        secrets.json        passwords of the databases' roles (mode 600)
        admin-password      password of the user `admin` (mode 600)
        keys/               private.json and public.json, the JWK sets of the tokens
        postgres/           PostgreSQL's data; a link to a folder under /var/lib where root runs
                            this in a folder that PostgreSQL's own account cannot enter
        logs/               one file a process, bounded
        done/               an empty file for each step of the first run that need not be repeated
        lock                held, and the process's id in it, while the system runs
        processes.json      the processes of the run; what a killed run left behind is ended

Everything can be deleted with `make reset` and is made again by the next `make up`.
"""
