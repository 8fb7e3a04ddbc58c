"""What a request costs, measured on the whole system (`make bench`); README.md has the figures.

requests_run   the run that measures requests, on a system of its own
scenarios      which requests are measured
client         the load: keep-alive connections on asyncio streams
measuring      CPU, time and memory of one scenario
floors         the same servers answering a constant, to compare with
report         the table, the budgets, and the files that keep them
start_run      how long `make up` takes on a fresh clone, and the second time
generator      thoughts in any number, the same for the same seed; vocabulary: their words
loading        puts them into the database
"""
