"""Runs the system on one machine without containers: PostgreSQL, three services, one command.

    commands     the Makefile's verbs down, logs and reset, which need no packages
    backups      backup and restore; lending: PostgreSQL without the system
    running      up and dev; background: BACKGROUND=1
    stack        the whole system, started in order and stopped in reverse order
    services     the ports and settings of the services; ports: which are free
    postgres     the PostgreSQL server; postgres_binaries: where its programs come from, account:
                 the account that it runs as
    process      one child process and its log; leftovers: the processes of a killed run
    logs         following the log files
    folder       the folder `.local`, kept between runs:

        secrets.json        passwords of PostgreSQL's roles (mode 600)
        admin-password      password of the user `admin` (mode 600)
        keys/               private.json and public.json, the JWK sets for tokens
        postgres/           PostgreSQL's data; a link to a folder under /var/lib if root runs this
                            in a folder that PostgreSQL's own account cannot enter
        logs/               one file per process, limited in size
        backups/            a folder for each backup; `make reset` leaves them
        done/demonstration  an empty file, once the demonstration data has been loaded
        lock                held while a verb uses the folder; contains the process id and the verb

`make reset` deletes everything else; the next `make up` creates it again.
"""
