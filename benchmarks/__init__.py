"""What a request costs, measured on the whole system (`make bench`); README.md has the figures.

requests_run   the run that measures requests, on a system of its own
scenarios      which requests are measured
client         the load: keep-alive connections on asyncio streams
measuring      CPU, time and memory of one scenario
floors         the same servers answering a constant, to compare with
report         the tables, the budgets, and the files that keep them; tables: their form
start_run      how long `make up` takes on a fresh clone, and the second time

load_data      the command that fills a database (`make load-data`); progress: what it shows
generator      thoughts in any number, the same for the same seed; vocabulary: their words
batches        makes them in several processes
loading        puts them into a database; indexes: drops its indexes and makes them again
destination    which database that is

search         the run that measures search: a package of its own
"""
